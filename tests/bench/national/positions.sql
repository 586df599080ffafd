-- name: projected()
-- How far the slowest reader of each source is, among the live ones of this service.
select c.source, min(c.position) as position
from projection.checkpoint as c
inner join projection.projection as p on c.name = p.name and c.generation = p.generation
group by c.source;

-- name: vacuums()$
-- How many tables are being vacuumed now.
select count(*) from pg_stat_progress_vacuum;

-- name: delivered()$
-- How many boxes the read model shows where their way ends.
select count(*) from custody.unit where state = 'delivered';
