-- name: prepare#
-- The carrier's own table; only the carrier whose turn it is makes it.
create schema if not exists carrier;
create table if not exists carrier.progress (
    agency text primary key,
    log_id uuid not null,
    sequence bigint not null,
    position bigint not null,
    acknowledged_sequence bigint not null default 0,
    acknowledged_position bigint not null default 0,
    acknowledged_index integer not null default 0
);
comment on table carrier.progress is
'How far the log was read, and what the agency has acknowledged: where its stream begins again after a loss.';

-- name: progress^
select * from carrier.progress where agency = :agency;

-- name: begin!
-- Another log: what was copied and acknowledged belongs to the old one.
insert into carrier.progress (agency, log_id, sequence, position)
values (:agency, :log_id, 0, 0)
on conflict (agency) do update set
    log_id = excluded.log_id, sequence = 0, position = 0,
    acknowledged_sequence = 0, acknowledged_position = 0, acknowledged_index = 0;

-- name: advance!
update carrier.progress set sequence = :sequence, position = :position where agency = :agency;

-- name: acknowledged!
update carrier.progress
set acknowledged_sequence = :sequence, acknowledged_position = :position,
    acknowledged_index = :index
where agency = :agency;
