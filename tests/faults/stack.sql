-- name: tables
-- Every table, and the query that reads its rows as text in one order.
select schemaname as schema, tablename as name,
       format('select t::text as row from %I.%I t order by 1', schemaname, tablename) as query
  from pg_tables
 where schemaname not in ('pg_catalog', 'information_schema')
 order by 1, 2;

-- name: generation$
select generation from projection.projection where name = :name;
