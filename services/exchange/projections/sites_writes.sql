-- name: proposed!
insert into site
    (site, region, name, function, address, owner, latitude_udeg, longitude_udeg, capacity_m2, cctv)
select site, region, name, function, address, owner, latitude_udeg, longitude_udeg, capacity_m2, cctv
from jsonb_to_recordset(:events::text::jsonb) as e (
    site text, region text, name text, function text, address text, owner text,
    latitude_udeg integer, longitude_udeg integer, capacity_m2 bigint, cctv boolean
)
on conflict (site) do nothing;

-- name: surveyed!
-- What the survey found of the cameras replaces what the proposal said.
update site as s
set state = case s.state when 'letter-to-owner' then s.state else 'surveyed' end,
    cctv = (e.checklist ->> 'cctv')::boolean
from (
    select distinct on (site) site, checklist
    from jsonb_to_recordset(:events::text::jsonb)
        as e (position bigint, site text, checklist jsonb)
    order by site, position desc
) as e
where s.site = e.site;

-- name: owner_written_to!
update site as s set state = 'letter-to-owner'
from jsonb_to_recordset(:events::text::jsonb) as e (site text)
where s.site = e.site;

-- name: ready!
update site as s
set state = 'ready', opens_on = e.opens_on, closes_on = e.closes_on, contact = e.contact
from jsonb_to_recordset(:events::text::jsonb)
    as e (site text, opens_on text, closes_on text, contact text)
where s.site = e.site;

-- name: rejected!
update site as s set state = 'rejected', reason = e.reason
from jsonb_to_recordset(:events::text::jsonb) as e (site text, reason text)
where s.site = e.site;

-- name: replaced!
update site as s set state = 'replaced', replaced_by = e.replaced_by
from jsonb_to_recordset(:events::text::jsonb) as e (site text, replaced_by text)
where s.site = e.site;

-- name: regions!
insert into kelurahan (region, name)
select distinct on (region) region, name
from jsonb_to_recordset(:events::text::jsonb)
    as e (position bigint, region text, name text, level text)
where level = 'kelurahan'
order by region, position desc
on conflict (region) do update set name = excluded.name;

-- name: needs!
-- A station has a box for each kind of ballot.
insert into station (tps, region, boxes)
select distinct on (tps) tps, region, (select count(*) from jsonb_object_keys(ballots))
from jsonb_to_recordset(:events::text::jsonb)
    as e (position bigint, tps text, region text, ballots jsonb)
order by tps, position desc
on conflict (tps) do update set boxes = excluded.boxes;
