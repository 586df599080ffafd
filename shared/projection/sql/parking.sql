-- name: park!
insert into projection.parked (name, generation, source, position, key, event_id, type, error, attempts)
select :name, :generation, :source, p.position, p.key, p.event_id, p.type, p.error, (p.error is not null)::integer
  from unnest(:positions::bigint[], :keys::text[], :ids::uuid[], :types::text[], :errors::text[])
       as p (position, key, event_id, type, error);

-- name: parked_keys
select distinct key from projection.parked where name = :name and generation = :generation and source = :source;

-- name: list_parked
-- What the live generation could not apply, oldest first within each key; all of it without a limit.
select d.name, d.source, d.position, d.key, d.event_id, d.type, d.error, d.attempts, d.parked_at, d.tried_at
  from projection.parked d join projection.projection p using (name, generation)
 where (:name::text is null or d.name = :name) and (:event_id::uuid is null or d.event_id = :event_id)
 order by d.name, d.source, d.key, d.position limit :limit;

-- name: keys
-- What waits in the live generation.
select distinct d.source, d.key
  from projection.parked d join projection.projection p using (name, generation)
 where d.name = :name and (:source::text is null or d.source = :source) and (:key::text is null or d.key = :key);

-- name: count_parked
select d.name, d.source, count(*) filter (where d.error is not null) as poison, count(*) as parked
  from projection.parked d join projection.projection p using (name, generation) group by d.name, d.source;

-- name: first_parked^
-- The event of this key that has to be tried next.
select d.generation, d.position, c.schema_name
  from projection.parked d
  join projection.projection p using (name, generation)
  join projection.checkpoint c using (name, generation, source)
 where d.name = :name and d.source = :source and d.key = :key order by d.position limit 1;

-- name: release^
-- Takes one event out of the parking; no row: it is not there any more, or the read model has been flipped.
with taken as (
    delete from projection.parked
     where name = :name and generation = :generation and source = :source and position = :position
    returning name, generation, source)
update projection.checkpoint c set parking = parking + 1
  from taken t
 where c.name = t.name and c.generation = t.generation and c.source = t.source and c.schema_name = :schema
returning set_config('search_path', quote_ident(c.schema_name) || ', public', true) as search_path;

-- name: failed_again!
update projection.parked set error = :error, attempts = attempts + 1, tried_at = clock_timestamp()
 where name = :name and generation = :generation and source = :source and position = :position;
