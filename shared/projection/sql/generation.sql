-- name: register^
-- The projection's row, made at its first start; `made` tells whether this call made it.
with made as (
    insert into projection.projection (name, kind, generation, version, starts_at)
    values (:name, :kind, 1, :version, :starts_at) on conflict (name) do nothing returning *)
select *, true as made from made
union all
select *, false from projection.projection where name = :name and not exists (select from made);

-- name: consumer^
select * from projection.projection where name = :name;

-- name: consumers
select * from projection.projection order by name;

-- name: add_checkpoint!
-- A checkpoint at `position`; one that exists stays as it is.
insert into projection.checkpoint (name, generation, source, schema_name, log_id, position)
values (:name, :generation, :source, :schema, :log_id, :position) on conflict do nothing;

-- name: checkpoints
select c.name, c.source, c.position, c.log_id, c.generation
  from projection.checkpoint c join projection.projection p using (name, generation) order by c.name, c.source;

-- name: build_checkpoints
select source, log_id from projection.checkpoint where name = :name and generation = :generation;

-- name: create_schema!
select projection.create_generation_v1(:schema);

-- name: use_schema!
select set_config('search_path', quote_ident(:schema) || ', public', true);

-- name: begin_build$
update projection.projection
   set building = greatest(generation, previous, building) + 1, building_version = :version, updated_at = clock_timestamp()
 where name = :name returning building;

-- name: drop_generation!
select projection.drop_generation_v1(:name, :generation);

-- name: flip$
select projection.flip_v1(:name, :generation, :version);

-- name: other_log!
-- A policy keeps its intents for ever and reads the new log from the start: command ids make the repeats void.
update projection.checkpoint c
   set position = 0, log_id = :log_id, since = p.starts_at, updated_at = clock_timestamp()
  from projection.projection p
 where p.name = c.name and c.name = :name and c.generation = p.generation and c.source = :source
   and c.log_id is distinct from :log_id;

-- name: try_build_lock$
select pg_try_advisory_lock(hashtext('projection.build'), hashtext(:name));

-- name: build_unlock!
select pg_advisory_unlock(hashtext('projection.build'), hashtext(:name));

-- name: end_build!
update projection.projection set building = null, building_version = null, updated_at = clock_timestamp()
 where name = :name;
