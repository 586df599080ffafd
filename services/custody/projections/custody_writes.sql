-- name: change_units!
-- Null keeps what is there. An empty consignment: on none. A state that depends on the one before:
-- `rest` comes off its consignment where it is, `back` was recovered.
update unit as u
set
    state = case c.state
        when 'rest' then case u.state
            when 'loaded' then 'registered'
            when 'in-transit' then 'delivered'
            else u.state
        end
        when 'back' then case when u.consignment is null then 'delivered' else 'in-transit' end
        else coalesce(c.state, u.state)
    end,
    custodian = coalesce(c.custodian, u.custodian),
    place = coalesce(c.place, u.place),
    seal = coalesce(c.seal, u.seal),
    consignment = nullif(coalesce(c.consignment, u.consignment), ''),
    damaged = coalesce(c.damaged, u.damaged),
    elsewhere = case
        when c.region is null or starts_with(u.home, c.region) or c.region = any(u.elsewhere)
            then u.elsewhere
        else u.elsewhere || c.region
    end,
    position = c.position
from unnest(
    :units::text [], :states::text [], :custodians::text [], :places::text [], :seals::text [],
    :consignments::text [], :damaged::boolean [], :regions::text [], :positions::bigint []
) as c (unit, state, custodian, place, seal, consignment, damaged, region, position)
where u.unit = c.unit;

-- name: add_regions!
-- More regions that held these units, where one batch brought several.
update unit as u
set elsewhere = u.elsewhere || array(
    select distinct r.region
    from unnest(:units::text [], :regions::text []) as r (unit, region)
    where r.unit = u.unit and not starts_with(u.home, r.region)
    and not r.region = any(u.elsewhere)
)
where u.unit = any(:units::text []);

-- name: break_units!
update unit set broken = true where unit = any(:units::text []) and not broken;

-- name: add_consignment*!
insert into consignment (
    consignment, tps, direction, region, regions, origin, destination, legs, units,
    release_from, release_until, state, leg, missing, position
)
values (
    :consignment, :tps, :direction, :region, :regions, :origin, :destination, :legs, :units,
    :release_from, :release_until, 'planned', 0, 0, :position
);

-- name: change_consignments!
-- Null keeps what is there; `missing` and `unloaded` are added and taken away.
update consignment as c
set
    state = coalesce(n.state, c.state),
    leg = coalesce(n.leg, c.leg),
    missing = c.missing + n.missing,
    units = c.units - n.unloaded,
    departed_at = coalesce(n.departed_at, c.departed_at),
    received_at = coalesce(n.received_at, c.received_at),
    position = n.position
from unnest(
    :consignments::text [], :states::text [], :legs::int [], :missing::int [], :unloaded::int [],
    :departed::timestamptz [], :received::timestamptz [], :positions::bigint []
) as n (consignment, state, leg, missing, unloaded, departed_at, received_at, position)
where c.consignment = n.consignment;

-- name: mark_late!
update consignment set late = true where consignment = any(:consignments::text []);

-- name: add_incident*!
insert into incident (
    incident, kind, unit, tps, consignment, leg, units, region, place, detail, status, raised_at
)
values (
    :incident, :kind, :unit, :tps, :consignment, :leg, :units, :region, :place, :detail,
    'open', :raised_at
)
on conflict (incident) do nothing;

-- name: close_incident*!
update incident set status = 'closed', remedy = :remedy, closed_at = :closed_at
where incident = :incident;
