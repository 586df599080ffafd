-- name: advance^
-- The compare-and-set that opens every transaction of the engine; no row: somebody else was here.
-- A place that is only moved on need not be on disk: whoever finds an older one passes over the same events again.
update projection.checkpoint
   set position = :position, log_id = :log_id, parking = parking + :parks, updated_at = clock_timestamp()
 where name = :name and generation = :generation and source = :source and schema_name = :schema
   and position = :expected and parking = :parking and (log_id is null or log_id = :log_id)
returning set_config('search_path', quote_ident(schema_name) || ', public', true) as search_path,
          set_config('synchronous_commit', case when :applies then current_setting('synchronous_commit') else 'off' end, true)
              as durability;

-- name: load^
-- A generation's checkpoint, and whether that generation is the live one.
select c.generation, c.schema_name, c.log_id, c.position, c.parking, c.since, p.version, p.generation as live
  from projection.projection p join projection.checkpoint c using (name)
 where name = :name and source = :source and c.generation = coalesce(:generation::integer, p.generation);

-- name: set_mark$
-- Remembers that this process is about to handle position..last; answers how many earlier processes died on exactly this event.
insert into projection.mark as m (name, generation, source, position, last, deaths, process)
values (:name, :generation, :source, :position, :last, 0, :process)
on conflict (name, generation, source) do update
   set position = excluded.position, last = excluded.last, process = excluded.process,
       deaths = case when m.position = m.last and m.position = excluded.position and excluded.last = excluded.position
                     then m.deaths + (m.process <> excluded.process)::integer else 0 end
returning deaths;

-- name: read_mark^
select position, last from projection.mark where name = :name and generation = :generation and source = :source;

-- name: remove_mark!
delete from projection.mark where name = :name and generation = :generation and source = :source;
