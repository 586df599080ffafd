-- name: append
-- All commands of a batch; null or a unique violation: none.
select eventstore.append_v2(
    $1::eventstore.new_command[], $2::eventstore.stream_version[], $3::eventstore.stream_version[],
    $4::eventstore.new_event[]);

-- name: append_each
-- A verdict for each command of a batch.
select * from eventstore.append_each_v1(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: read_stream
-- A stream after a version.
select position, id, stream_id, version, type, data, meta, recorded_at, command_id
from eventstore.event
where stream_id = $1 and version > $2
order by version
limit $3;

-- name: read_bodies
-- Several streams after a version each, only what a decision needs.
select e.stream_id, e.version, e.type, e.data
from unnest($1::text[], $2::integer[]) as w (stream_id, after)
    cross join lateral (
        select v.stream_id, v.version, v.type, v.data
        from eventstore.event v
        where v.stream_id = w.stream_id collate "C" and v.version > w.after
        order by v.version
        offset 0
    ) e;

-- name: read_all
-- The log after a position, in commit order: at most $2 events, and $3 bytes of bodies or one event.
select position, id, stream_id, version, type, data, meta, recorded_at, command_id
from (
    select *, sum(length(data)) over (order by position rows unbounded preceding) as size
    from eventstore.event
    where position > $1
    order by position
    limit $2
) e
where size <= $3 or size = length(data);

-- name: position
-- The last position, 0 for an empty log.
select coalesce(max(position), 0) from eventstore.event;

-- name: log_id
-- The present identity of the log.
select log_id from eventstore.log order by epoch desc limit 1;

-- name: renew_log_id<!
-- A new identity, after a restore.
insert into eventstore.log (epoch, log_id)
select max(epoch) + 1, $1 from eventstore.log
returning log_id;

-- name: commands
-- The stored commands among these ids.
select command_id, fingerprint, result, first_position, last_position
from eventstore.command
where command_id = any($1::uuid[]);

-- name: save_snapshot!
-- Kept only if it is newer, or of another schema.
insert into eventstore.snapshot as kept (stream_id, version, schema, data)
values ($1, $2, $3, $4)
on conflict (stream_id) do update
set version = excluded.version, schema = excluded.schema, data = excluded.data
where kept.version < excluded.version or kept.schema <> excluded.schema;

-- name: read_snapshots
-- The snapshots of these streams.
select stream_id, version, schema, data
from eventstore.snapshot
where stream_id = any($1::text[]);
