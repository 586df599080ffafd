-- Every statement takes three arrays of one length: position, time and body of each event.

-- name: rules_set!
-- The last rules of the batch are those in force.
insert into rules (body)
select body from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
order by position desc limit 1
on conflict (singleton) do update set body = excluded.body;

-- name: item_defined!
-- A definition brings a retired item back.
insert into item (item, name, item_class, unit, per_tps)
select distinct on (body ->> 'item')
    body ->> 'item', body ->> 'name', (body ->> 'item_class')::integer, body ->> 'unit',
    (body ->> 'per_tps')::bigint
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
order by body ->> 'item', position desc
on conflict (item) do update set
    name = excluded.name, item_class = excluded.item_class, unit = excluded.unit,
    per_tps = excluded.per_tps, retired = null;

-- name: item_retired!
update item set retired = e.body ->> 'reason'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where item.item = e.body ->> 'item';

-- name: region_registered!
insert into region (region, name, level, parent, dapil)
select distinct on (body ->> 'region')
    body ->> 'region', body ->> 'name', body ->> 'level',
    coalesce(substring(body ->> 'region' from '^(.*)\.[0-9]+$'), ''), body -> 'dapil'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
order by body ->> 'region', position desc
on conflict (region) do update set name = excluded.name, dapil = excluded.dapil;

-- name: polling_station_registered!
insert into polling_station (tps, region, number, voters, special, source)
select distinct on (body ->> 'tps')
    body ->> 'tps', body ->> 'region', (body ->> 'number')::integer,
    (body ->> 'voters')::bigint, (body ->> 'special')::boolean, body ->> 'source'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
order by body ->> 'tps', position desc
on conflict (tps) do update set
    voters = excluded.voters, special = excluded.special, source = excluded.source,
    number = excluded.number;

-- name: polling_station_needs_calculated!
insert into polling_station (tps, region, ballots, dapil, items, sheets, boxes)
select distinct on (body ->> 'tps')
    body ->> 'tps', body ->> 'region', body -> 'ballots', body -> 'dapil', body -> 'items',
    (select coalesce(sum(value::bigint), 0) from jsonb_each_text(body -> 'ballots')),
    (select count(*) from jsonb_object_keys(body -> 'ballots'))
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
order by body ->> 'tps', position desc
on conflict (tps) do update set
    ballots = excluded.ballots, dapil = excluded.dapil, items = excluded.items,
    sheets = excluded.sheets, boxes = excluded.boxes;

-- name: polling_station_postponed!
update polling_station set postponed = e.body ->> 'reason'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where polling_station.tps = e.body ->> 'tps';

-- name: site_proposed!
insert into site (
    site, region, name, function, address, owner, latitude_udeg, longitude_udeg, capacity_m2,
    cctv, unchanged, state, changed_at
)
select
    body ->> 'site', body ->> 'region', body ->> 'name', body ->> 'function', body ->> 'address',
    body ->> 'owner', (body ->> 'latitude_udeg')::integer, (body ->> 'longitude_udeg')::integer,
    (body ->> 'capacity_m2')::bigint, (body ->> 'cctv')::boolean,
    (body ->> 'unchanged')::boolean, 'proposed', at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body);

-- name: site_surveyed!
-- A survey after the letter to the owner does not take the letter back.
update site set
    state = case site.state when 'letter-to-owner' then site.state else 'surveyed' end,
    checklist = e.body -> 'checklist', gaps = e.body -> 'gaps', changed_at = e.at
from (
    select distinct on (body ->> 'site') at, body
    from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
        as e (position, at, body)
    order by body ->> 'site', position desc
) as e
where site.site = e.body ->> 'site';

-- name: site_owner_letter_sent!
update site set
    state = 'letter-to-owner', letter_number = e.body ->> 'letter_number', changed_at = e.at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where site.site = e.body ->> 'site';

-- name: site_ready!
update site set
    state = 'ready', opens_on = e.body ->> 'opens_on', closes_on = e.body ->> 'closes_on',
    contact = e.body ->> 'contact', changed_at = e.at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where site.site = e.body ->> 'site';

-- name: site_rejected!
update site set state = 'rejected', reason = e.body ->> 'reason', changed_at = e.at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where site.site = e.body ->> 'site';

-- name: site_replaced!
update site set state = 'replaced', replaced_by = e.body ->> 'replaced_by', changed_at = e.at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where site.site = e.body ->> 'site';

-- name: site_inspected!
insert into inspection (position, site, at, hazard, note)
select position, body ->> 'site', at, body ->> 'hazard', body ->> 'note'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body);

-- name: stock_moved!
-- Every movement with its effect on what is on hand, then the sums per ledger.
with moved as (
    insert into movement (
        position, site, item, variant, at, fact, reason, document, good, damaged, short
    )
    select
        position, body ->> 'site', body ->> 'item', coalesce(body ->> 'variant', ''), at, fact,
        coalesce(body ->> 'reason', ''),
        coalesce(body ->> 'document', body ->> 'purpose', body ->> 'record_number',
                 body ->> 'note', ''),
        case fact
            when 'received' then n.good
            when 'sorted' then - n.damaged - n.short
            when 'destroyed' then - n.good
            else - n.quantity
        end,
        case fact
            when 'issued' then 0
            when 'damaged' then n.quantity
            when 'destroyed' then - n.damaged
            else n.damaged
        end,
        n.short
    from unnest(:positions::bigint[], :times::timestamptz[], :facts::text[], :bodies::jsonb[])
        as e (position, at, fact, body)
    cross join lateral (
        select
            coalesce((body ->> 'good')::bigint, 0) as good,
            coalesce((body ->> 'damaged')::bigint, 0) as damaged,
            coalesce((body ->> 'short')::bigint, 0) as short,
            coalesce((body ->> 'quantity')::bigint, 0) as quantity
    ) as n
    returning site, item, variant, position, good, damaged, short
)
insert into stock (site, item, variant, region, good, damaged, short)
select
    site, item, variant, max(e.body ->> 'region'), sum(good), sum(damaged), sum(short)
from moved
join unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body) using (position)
group by site, item, variant
on conflict (site, item, variant) do update set
    good = stock.good + excluded.good, damaged = stock.damaged + excluded.damaged,
    short = stock.short + excluded.short;

-- name: picking_drawn!
insert into picking (tps, region, site)
select tps, body ->> 'region', body ->> 'site'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
cross join lateral jsonb_array_elements_text(body -> 'stations') as s (tps);

-- name: kit_packed!
insert into kit (kit, region, tps, site, boxes, ballots, items, packed_at)
select
    body ->> 'kit', body ->> 'region', body ->> 'tps', body ->> 'site', body -> 'boxes',
    body -> 'ballots', body -> 'items', at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body);

-- name: finding_raised!
-- The same finding may be raised again after it was closed.
insert into finding (finding, kind, region, tps, unit, site, status, detail, raised_at)
select
    body ->> 'finding', body ->> 'finding_kind', body ->> 'region', body ->> 'tps',
    body ->> 'unit', body ->> 'site', 'open', body ->> 'detail', at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
on conflict (finding) do update set
    status = 'open', detail = excluded.detail, raised_at = excluded.raised_at,
    remedy = null, closed_at = null;

-- name: finding_closed!
update finding set status = 'closed', remedy = e.body ->> 'remedy', closed_at = e.at
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where finding.finding = e.body ->> 'finding';

-- name: replacement_requested!
insert into replacement (replacement, region, subject, cause)
select body ->> 'replacement', body ->> 'region', body ->> 'subject', body ->> 'cause'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body);

-- name: replacement_supplied!
update replacement set from_site = e.body ->> 'from_site'
from unnest(:positions::bigint[], :times::timestamptz[], :bodies::jsonb[])
    as e (position, at, body)
where replacement.replacement = e.body ->> 'replacement';
