-- The log of one service. Positions are dense and in commit order, because append_v1 gives them
-- while it holds the one writer's lock; a sequence would leave gaps and let readers overtake.

create schema eventstore;

create table eventstore.event (
    position bigint primary key,
    id uuid not null,
    stream_id text collate "C" not null,
    version integer not null check (version >= 1),
    type text not null,
    recorded_at timestamptz not null,
    command_id uuid not null,
    data bytea not null,
    meta bytea not null,
    unique (stream_id, version)
);

-- Bodies are short: read them in place, do not spend CPU on compressing them.
alter table eventstore.event alter column data set storage external;
alter table eventstore.event alter column meta set storage external;

create table eventstore.command (
    command_id uuid primary key,
    fingerprint bytea not null,
    result bytea not null,
    first_position bigint not null,
    last_position bigint not null,
    recorded_at timestamptz not null
);

-- The history of the log's identity; the newest row is the present one.
create table eventstore.log (
    epoch integer primary key,
    log_id uuid not null,
    started_at timestamptz not null default clock_timestamp()
);

insert into eventstore.log (epoch, log_id) values (1, gen_random_uuid());

-- Disposable: may be deleted at any time.
create table eventstore.snapshot (
    stream_id text collate "C" primary key,
    version integer not null,
    schema text not null,
    data bytea not null
);

create function eventstore.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'eventstore.% is append-only: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$;

create trigger append_only before update or delete or truncate on eventstore.event
    for each statement execute function eventstore.refuse_change();

create trigger append_only before update or delete or truncate on eventstore.command
    for each statement execute function eventstore.refuse_change();

create trigger append_only before update or delete or truncate on eventstore.log
    for each statement execute function eventstore.refuse_change();

-- What the application's role may do; called with each migration, so that a new role is admitted.
create procedure eventstore.admit(role_name text) language plpgsql as $$
begin
    execute format('grant usage on schema eventstore to %I', role_name);
    execute format('grant select, insert on eventstore.event, eventstore.command, eventstore.log to %I', role_name);
    execute format('grant select, insert, update, delete on eventstore.snapshot to %I', role_name);
    execute format('grant execute on all functions in schema eventstore to %I', role_name);
end
$$;

revoke execute on procedure eventstore.admit(text) from public;
