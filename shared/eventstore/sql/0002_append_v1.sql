-- Appending a batch of commands. append_v1 takes all or nothing and is set-based; it is right when
-- no expectation fails, which is nearly always. Where it declines, append_each_v1 gives every
-- command its own verdict: it knows which commands build on others of the batch, since equal
-- versions prove nothing.

create function eventstore.append_v1(
    command_ids uuid[],
    fingerprints bytea[],
    results bytea[],
    first_offsets integer[],      -- of the command's first event in the batch, from 1; 0: no event
    last_offsets integer[],
    present_streams text[],       -- versions that must exist before the batch
    present_versions integer[],
    absent_streams text[],        -- versions that must not
    absent_versions integer[],
    event_ids uuid[],
    event_commands uuid[],
    event_streams text[],
    event_versions integer[],
    event_types text[],
    event_data bytea[],
    event_meta bytea[]
) returns bigint language plpgsql as $$
-- Appends every command and returns the position before the first event, or null: nothing is done.
declare
    head bigint;
    moment timestamptz;
begin
    perform pg_advisory_xact_lock(7710, 1);
    -- From here on a new snapshot: that of the statement above is older than the end of its wait.
    -- Scalar subqueries on purpose: a join's plan, cached while the table was small, would stay.
    if exists (
        select from unnest(present_streams, present_versions) as wanted (stream_id, version)
        where (
            select e.version from eventstore.event e
            where e.stream_id = wanted.stream_id collate "C" and e.version = wanted.version
        ) is null
    ) or exists (
        select from unnest(absent_streams, absent_versions) as unwanted (stream_id, version)
        where (
            select e.version from eventstore.event e
            where e.stream_id = unwanted.stream_id collate "C" and e.version = unwanted.version
        ) is not null
    ) then
        return null;
    end if;

    select coalesce(max(e.position), 0) into head from eventstore.event e;
    moment := clock_timestamp();

    insert into eventstore.command
        (command_id, fingerprint, result, first_position, last_position, recorded_at)
    select c.id, c.fingerprint, c.result,
        case when c.first_offset = 0 then 0 else head + c.first_offset end,
        head + c.last_offset, moment
    from unnest(command_ids, fingerprints, results, first_offsets, last_offsets)
        as c (id, fingerprint, result, first_offset, last_offset);

    insert into eventstore.event
        (position, id, stream_id, version, type, recorded_at, command_id, data, meta)
    select head + e.place, e.id, e.stream_id, e.version, e.type, moment, e.command, e.data, e.meta
    from unnest(event_ids, event_commands, event_streams, event_versions, event_types,
                event_data, event_meta)
        with ordinality as e (id, command, stream_id, version, type, data, meta, place);

    return head;
exception when unique_violation then
    -- A command that is known already, or a version that another command has taken.
    return null;
end
$$;

create function eventstore.append_each_v1(
    command_ids uuid[],
    fingerprints bytea[],
    results bytea[],
    streams text[],               -- each stream of the batch once
    op_commands integer[],        -- a write or a check: the place of its command, from 1,
    op_streams integer[],         -- the place of its stream in `streams`, from 1,
    op_expected integer[],        -- the expected version, -1 any, -2 exists,
    op_counts integer[],          -- and the number of events, 0 for a check
    link_commands integer[],      -- the place of a command that was decided on the events
    link_places integer[],        -- of another one before it in the batch, by its place
    event_ids uuid[],             -- in the order of the ops
    event_commands uuid[],
    event_streams text[],
    event_types text[],
    event_data bytea[],
    event_meta bytea[]
) returns table (
    verdict text,                 -- appended, known or conflict
    first_position bigint,
    last_position bigint,
    fingerprint bytea,            -- of a known command
    result bytea,
    op integer,                   -- of a conflict: the op that failed, from 1 (0: a link), and
    actual integer                -- the version found
) language plpgsql as $$
-- Appends in order those commands whose expectations hold, each command whole or not at all.
-- A command that builds on one that is not appended now is a conflict, even if the versions fit:
-- the events that brought the stream to that version are then those of somebody else.
#variable_conflict use_column
declare
    head bigint;
    place bigint;
    moment timestamptz;
    known boolean[];
    heads integer[];
    bases integer[] := array_fill(null::integer, array[greatest(cardinality(op_commands), 1)]);
    versions integer[] := array_fill(null::integer, array[greatest(cardinality(event_ids), 1)]);
    firsts bigint[] := array_fill(null::bigint, array[cardinality(command_ids)]);
    lasts bigint[] := array_fill(null::bigint, array[cardinality(command_ids)]);
    lost_ops integer[] := array_fill(null::integer, array[cardinality(command_ids)]);
    lost_actuals integer[] := array_fill(null::integer, array[cardinality(command_ids)]);
    ops integer := cardinality(op_commands);
    o integer := 1;
    l integer := 1;
    links integer := cardinality(link_commands);
    e integer := 0;
    first_op integer;
    total integer;
    found integer;
    refused boolean;
begin
    perform pg_advisory_xact_lock(7710, 1);
    select coalesce(max(v.position), 0) into head from eventstore.event v;
    place := head;
    known := array(
        select (select c.last_position from eventstore.command c where c.command_id = w.id)
            is not null
        from unnest(command_ids) with ordinality as w (id, i) order by w.i
    );
    heads := array(
        select coalesce((
            select max(v.version) from eventstore.event v
            where v.stream_id = w.stream_id collate "C"), 0)
        from unnest(streams) with ordinality as w (stream_id, i) order by w.i
    );

    for i in 1 .. cardinality(command_ids) loop
        refused := known[i];
        while l <= links and link_commands[l] = i loop
            if not refused and lasts[link_places[l]] is null then
                refused := true;
                lost_ops[i] := 0;
            end if;
            l := l + 1;
        end loop;
        first_op := o;
        total := 0;
        while o <= ops and op_commands[o] = i loop
            if not refused then
                found := heads[op_streams[o]];
                if op_expected[o] = found or op_expected[o] = -1
                        or (op_expected[o] = -2 and found > 0) then
                    bases[o] := found;
                    heads[op_streams[o]] := found + op_counts[o];
                    total := total + op_counts[o];
                else
                    refused := true;
                    lost_ops[i] := o;
                    lost_actuals[i] := found;
                    for u in reverse o - 1 .. first_op loop
                        heads[op_streams[u]] := bases[u];
                        bases[u] := null;
                    end loop;
                end if;
            end if;
            o := o + 1;
        end loop;
        if not refused then
            firsts[i] := case when total = 0 then 0 else place + 1 end;
            place := place + total;
            lasts[i] := place;
        end if;
    end loop;

    for i in 1 .. ops loop
        for n in 1 .. op_counts[i] loop
            e := e + 1;
            versions[e] := bases[i] + n;
        end loop;
    end loop;

    moment := clock_timestamp();
    insert into eventstore.command
        (command_id, fingerprint, result, first_position, last_position, recorded_at)
    select c.id, c.fingerprint, c.result, c.first, c.last, moment
    from unnest(command_ids, fingerprints, results, firsts, lasts)
        as c (id, fingerprint, result, first, last)
    where c.last is not null;

    insert into eventstore.event
        (position, id, stream_id, version, type, recorded_at, command_id, data, meta)
    select head + row_number() over (order by v.i),
        v.id, v.stream_id, v.version, v.type, moment, v.command, v.data, v.meta
    from unnest(event_ids, event_commands, event_streams, versions, event_types, event_data,
                event_meta)
        with ordinality as v (id, command, stream_id, version, type, data, meta, i)
    where v.version is not null;

    return query
    select
        case when known[w.i] then 'known' when w.last is null then 'conflict' else 'appended' end,
        coalesce(w.first, c.first_position), coalesce(w.last, c.last_position),
        c.fingerprint, c.result, w.lost_op, w.lost_actual
    from unnest(command_ids, firsts, lasts, lost_ops, lost_actuals)
            with ordinality as w (id, first, last, lost_op, lost_actual, i)
        left join lateral (
            select k.fingerprint, k.result, k.first_position, k.last_position
            from eventstore.command k
            where k.command_id = w.id
            limit 1
        ) c on known[w.i]
    order by w.i;
end
$$;
