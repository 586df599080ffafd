-- name: subscribers
select agency, jurisdiction, topics from exchange.agency where topics <> '{}' order by agency;

-- name: ready_sites
-- Factories and warehouses for a letter about each region: the ready places within it, and the
-- printers that serve it.
select r.region as about, s.*
from unnest(:regions::text []) as r (region)
join sites.site as s on
    s.region = r.region
    or s.region like r.region || '.%'
    or (s.function = 'printer' and r.region like s.region || '.%')
where s.state = 'ready'
order by r.region, length(s.region), s.site;

-- name: kelurahan
-- What is distributed to each kelurahan of each region.
select r.region as about, k.region, k.name, count(*) as stations, sum(t.boxes)::bigint as boxes
from unnest(:regions::text []) as r (region)
join sites.kelurahan as k on k.region = r.region or k.region like r.region || '.%'
join sites.station as t on t.region = k.region
group by r.region, k.region, k.name
order by r.region, k.region;
