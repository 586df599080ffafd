-- The columns and keys of the event store's table, without its triggers and checks.
create table event (
    position bigint generated always as identity primary key,
    id uuid not null,
    stream_id text collate "C" not null,
    version integer not null,
    type text not null,
    recorded_at timestamptz not null,
    command_id uuid not null,
    data bytea not null,
    meta bytea not null,
    unique (stream_id, version)
);
