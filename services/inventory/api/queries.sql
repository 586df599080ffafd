-- A region includes all below it; `scope` is the caller's jurisdiction, null for everywhere.

-- name: regions
select r.region, r.name, r.level, r.parent, r.dapil
from inventory.region as r
where (:region::text is null or r.region = :region or starts_with(r.region, :region || '.'))
  and (:parent::text is null or r.parent = :parent)
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where r.region = s.code or starts_with(r.region, s.code || '.')))
  and r.region > :after
order by r.region
limit :limit;

-- name: polling_stations
select p.tps, p.region, p.number, p.voters, p.special, p.source, p.ballots, p.dapil, p.items,
    p.postponed
from inventory.polling_station as p
where (:region::text is null or p.region = :region or starts_with(p.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where p.region = s.code or starts_with(p.region, s.code || '.')))
  and p.tps > :after
order by p.tps
limit :limit;

-- name: polling_station^
select p.tps, p.region, p.number, p.voters, p.special, p.source, p.ballots, p.dapil, p.items,
    p.postponed, d.site as drawn_at, k.packed_at
from inventory.polling_station as p
left join inventory.picking as d using (tps)
left join inventory.kit as k on k.kit = p.tps
where p.tps = :tps;

-- name: sites
select s.*
from inventory.site as s
where (:region::text is null or s.region = :region or starts_with(s.region, :region || '.'))
  and (:state::text is null or s.state = :state)
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as c (code)
        where s.region = c.code or starts_with(s.region, c.code || '.')))
  and s.site > :after
order by s.site
limit :limit;

-- name: site^
select s.* from inventory.site as s where s.site = :site;

-- name: inspections
select position, at, hazard, note
from inventory.inspection where site = :site
order by position desc
limit 200;

-- name: items
select item, name, item_class, unit, per_tps, retired
from inventory.item
order by item_class, item;

-- name: rules^
select body from inventory.rules;

-- name: stock
select t.site, t.item, t.variant, t.region, t.good, t.damaged, t.short
from inventory.stock as t
where (:site::text is null or t.site = :site)
  and (:item::text is null or t.item = :item)
  and (:region::text is null or t.region = :region or starts_with(t.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where t.region = s.code or starts_with(t.region, s.code || '.')))
  and (t.site, t.item, t.variant) > (:site_after, :item_after, :variant_after)
order by t.site, t.item, t.variant
limit :limit;

-- name: movements
-- The ledger of one site, item and variant, in the order of its events.
select m.position, m.at, m.fact, m.reason, m.document, m.good, m.damaged, m.short
from inventory.movement as m
where m.site = :site and m.item = :item and m.variant = :variant and m.position > :after
order by m.position
limit :limit;

-- name: destructions
select s.site, m.document as record_number, s.region, min(m.at) as at,
    (- sum(m.good))::bigint as good, (- sum(m.damaged))::bigint as damaged
from inventory.movement as m
join inventory.site as s using (site)
where m.fact = 'destroyed'
  and (:region::text is null or s.region = :region or starts_with(s.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as c (code)
        where s.region = c.code or starts_with(s.region, c.code || '.')))
  and (s.site, m.document) > (:site_after, :record_after)
group by s.site, m.document, s.region
order by s.site, m.document
limit :limit;

-- name: destruction^
-- Where in the log a record of a site is, in its order.
select s.region, array_agg(m.position order by m.position) as positions
from inventory.movement as m
join inventory.site as s using (site)
where m.site = :site and m.fact = 'destroyed' and m.document = :record_number
group by s.region;

-- name: findings
select f.finding, f.kind, f.region, f.tps, f.unit, f.site, f.status, f.detail, f.remedy,
    f.raised_at, f.closed_at
from inventory.finding as f
where (:kind::text is null or f.kind = :kind)
  and (:status::text is null or f.status = :status)
  and (:region::text is null or f.region = :region or starts_with(f.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where f.region = s.code or starts_with(f.region, s.code || '.')))
  and f.finding > :after
order by f.finding
limit :limit;

-- name: replacements
select r.replacement, r.region, r.subject, r.cause, r.from_site
from inventory.replacement as r
where (:region::text is null or r.region = :region or starts_with(r.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where r.region = s.code or starts_with(r.region, s.code || '.')))
  and r.replacement > :after
order by r.replacement
limit :limit;

-- name: kit^
select kit, region, tps, site, boxes, ballots, items, packed_at
from inventory.kit where kit = :kit;

-- name: needs_summary^
-- Boxes: those of the stations and the recapitulation boxes of their kecamatan. Ballots: the needs
-- and the re-vote stock of each kind and dapil that the stations have.
with kelurahan as (
    select region, dapil, count(*) as tps, sum(voters) as voters, sum(sheets) as sheets,
        sum(boxes) as boxes, count(postponed) as postponed
    from inventory.polling_station
    group by region, dapil
), station as (
    select k.*
    from kelurahan as k
    where (:region::text is null or k.region = :region or starts_with(k.region, :region || '.'))
      and (:scope::text[] is null or exists (
            select from unnest(:scope::text[]) as s (code)
            where k.region = s.code or starts_with(k.region, s.code || '.')))
), district as (
    select distinct d.key, d.value
    from station
    cross join lateral jsonb_each_text(station.dapil) as d
), rule as (
    select (body ->> 'recap_boxes')::bigint as recap_boxes,
        (body ->> 'revote_ballots')::bigint as revote_ballots
    from inventory.rules
)
select
    coalesce(sum(tps), 0)::bigint as tps,
    count(distinct region) as kelurahan,
    count(distinct left(region, 8)) as kecamatan,
    coalesce(sum(voters), 0)::bigint as voters,
    coalesce(sum(postponed), 0)::bigint as postponed,
    (coalesce(sum(boxes), 0) + count(distinct left(region, 8))
        * coalesce((select recap_boxes from rule), 0))::bigint as boxes,
    (coalesce(sum(sheets), 0) + (select count(*) from district)
        * coalesce((select revote_ballots from rule), 0))::bigint as ballots
from station;

-- name: sites_summary
select s.state, count(*) as n, count(*) filter (where s.unchanged) as unchanged
from inventory.site as s
where (:region::text is null or s.region = :region or starts_with(s.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as c (code)
        where s.region = c.code or starts_with(s.region, c.code || '.')))
group by s.state;

-- name: findings_summary
select f.kind, count(*) as n, count(*) filter (where f.status = 'open') as open
from inventory.finding as f
where (:region::text is null or f.region = :region or starts_with(f.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where f.region = s.code or starts_with(f.region, s.code || '.')))
group by f.kind
order by f.kind;

-- name: kits_summary$
select count(*)
from inventory.kit as k
where k.tps is not null
  and (:region::text is null or k.region = :region or starts_with(k.region, :region || '.'))
  and (:scope::text[] is null or exists (
        select from unnest(:scope::text[]) as s (code)
        where k.region = s.code or starts_with(k.region, s.code || '.')));

-- name: known_stations
-- Stations registered in these kelurahan, and where their counts came from.
select region, tps, source
from inventory.polling_station
where region = any(:regions::text[]);
