-- What the engine remembers: which generation of a projection is live, how far each has read, what it could not apply,
-- and the commands that policies have decided to issue.

create schema if not exists projection;

create table projection.projection (
    name             text primary key,
    kind             text not null check (kind in ('projection', 'policy')),
    generation       integer not null,
    version          integer not null,
    building         integer,
    building_version integer,
    previous         integer,
    starts_at        timestamptz,
    updated_at       timestamptz not null default clock_timestamp()
);
comment on column projection.projection.starts_at is
    'When a policy that starts "now" was first run.';

create table projection.checkpoint (
    name        text not null references projection.projection (name) on delete cascade,
    generation  integer not null,
    source      text not null,
    schema_name text not null,
    log_id      uuid,
    position    bigint not null,
    parking     integer not null default 0,
    since       timestamptz,
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (name, generation, source)
) with (fillfactor = 50);
comment on column projection.checkpoint.schema_name is
    'Where this generation''s tables are; part of the compare-and-set, so that a flip fences whoever writes to the old place.';
comment on column projection.checkpoint.parking is
    'Counts the changes of what is parked; part of the compare-and-set, so that no worker acts on a stale set of keys.';

comment on column projection.checkpoint.since is
    'Set when a policy reads another log from its start: what was recorded before the policy began is passed over.';

create table projection.parked (
    name       text not null,
    generation integer not null,
    source     text not null,
    position   bigint not null,
    key        text not null,
    event_id   uuid not null,
    type       text not null,
    error      text,
    attempts   integer not null,
    parked_at  timestamptz not null default clock_timestamp(),
    tried_at   timestamptz,
    primary key (name, generation, source, position),
    foreign key (name, generation, source) references projection.checkpoint on delete cascade
);
comment on column projection.parked.error is 'Null: a sound event that waits behind an earlier one of its key.';
create index parked_key on projection.parked (name, generation, source, key, position);

create table projection.mark (
    name       text not null,
    generation integer not null,
    source     text not null,
    position   bigint not null,
    last       bigint not null,
    deaths     integer not null,
    process    uuid not null,
    primary key (name, generation, source),
    foreign key (name, generation, source) references projection.checkpoint on delete cascade
);
comment on table projection.mark is
    'Set before, and removed with, the first batches after a start: what is found here at a start killed the process.';

create table projection.intent (
    command_id   uuid primary key,
    policy       text not null,
    source       text not null,
    position     bigint not null,
    ordinal      integer not null,
    event_id     uuid not null,
    command      text not null,
    payload      jsonb not null,
    retry        boolean not null,
    traceparent  text not null,
    state        text not null default 'pending' check (state in ('pending', 'done', 'refused', 'failed')),
    attempts     integer not null default 0,
    due_at       timestamptz not null default clock_timestamp(),
    outcome      jsonb,
    created_at   timestamptz not null default clock_timestamp(),
    finished_at  timestamptz
);
create index intent_pending on projection.intent (policy, source, position) where state = 'pending';
create index intent_trouble on projection.intent (policy, state) where state in ('refused', 'failed');

create function projection.create_generation_v1(p_schema text) returns void language plpgsql as $$
begin
    execute format('create schema %I', p_schema);
end $$;

create function projection.drop_generation_v1(p_name text, p_generation integer) returns void language plpgsql as $$
declare
    v_schema text;
begin
    select schema_name into v_schema from projection.checkpoint
     where name = p_name and generation = p_generation limit 1;
    execute format('drop schema if exists %I cascade', coalesce(v_schema, p_name || '__g' || p_generation));
    delete from projection.checkpoint where name = p_name and generation = p_generation;
end $$;

-- Makes p_generation the one that readers see; false where it is behind the live one on the same log, or not ready.
create function projection.flip_v1(p_name text, p_generation integer, p_version integer) returns boolean
language plpgsql as $$
declare
    v_live integer;
begin
    select generation into strict v_live from projection.projection where name = p_name for update;
    perform from projection.checkpoint where name = p_name order by generation, source for update;
    if v_live = p_generation then
        return true;
    end if;
    if exists (select from projection.checkpoint new join projection.checkpoint live using (name, source)
                where name = p_name and new.generation = p_generation and live.generation = v_live
                  and new.log_id = live.log_id and new.position < live.position) then
        return false;
    end if;
    execute format('alter schema %I rename to %I', p_name, p_name || '__previous');
    execute format('alter schema %I rename to %I', p_name || '__g' || p_generation, p_name);
    update projection.checkpoint
       set schema_name = case generation when v_live then p_name || '__previous' else p_name end
     where name = p_name and generation in (v_live, p_generation);
    update projection.projection
       set generation = p_generation, version = p_version, previous = v_live,
           building = null, building_version = null, updated_at = clock_timestamp()
     where name = p_name;
    return true;
end $$;

-- What the role that runs the worker needs: it owns the schemas of the read models that it creates.
create procedure projection.admit(p_role text) language plpgsql as $$
begin
    execute format('grant create on database %I to %I', current_database(), p_role);
    execute format('grant usage on schema projection to %I', p_role);
    execute format('grant select, insert, update, delete on all tables in schema projection to %I', p_role);
end $$;
