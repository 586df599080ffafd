-- Regions are filtered by the half-open range of codes that begin with one: `low` to `high`.
-- `scope` is the reader's jurisdiction, null for everywhere: a unit is shown to whoever covers its
-- home or a region that held it besides.

-- name: units
select unit, kind, contents, home, tps, state, custodian, place, seal, consignment, damaged, broken
from custody.unit
where
    unit > :after
    and home >= :low and home < :high
    and (:tps::text is null or tps = :tps)
    and (:state::text is null or state = :state)
    and (
        :scope::text [] is null
        or exists (
            select from unnest(:scope::text []) as s (code)
            where starts_with(home, s.code)
            or exists (select from unnest(elsewhere) as e (code) where starts_with(e.code, s.code))
        )
    )
order by unit
limit :fetch;

-- name: broken_units
select unit, kind, contents, home, tps, state, custodian, place, seal, consignment, damaged, broken
from custody.unit
where
    broken
    and unit > :after
    and home >= :low and home < :high
    and (:tps::text is null or tps = :tps)
    and (:state::text is null or state = :state)
    and (
        :scope::text [] is null
        or exists (
            select from unnest(:scope::text []) as s (code)
            where starts_with(home, s.code)
            or exists (select from unnest(elsewhere) as e (code) where starts_with(e.code, s.code))
        )
    )
order by unit
limit :fetch;

-- name: unit^
select
    unit, kind, contents, home, tps, state, custodian, place, seal, consignment, damaged, broken,
    elsewhere, position
from custody.unit
where unit = :unit;

-- name: incidents_of_unit
select incident, kind, consignment, leg, units, place, detail, status, raised_at, closed_at
from custody.incident
where unit = :unit or :unit = any(units)
order by raised_at, incident;

-- name: incidents
select
    incident, kind, unit, tps, consignment, leg, units, region, place, detail, status, remedy,
    raised_at, closed_at
from custody.incident
where
    incident > :after
    and region >= :low and region < :high
    and (:kind::text is null or kind = :kind)
    and (:status::text is null or status = :status)
    and (
        :scope::text [] is null
        or exists (
            select from unnest(:scope::text []) as s (code) where starts_with(region, s.code)
        )
    )
order by incident
limit :fetch;

-- name: incident^
select
    incident, kind, unit, tps, consignment, leg, units, region, place, detail, status, remedy,
    raised_at, closed_at
from custody.incident
where incident = :incident;

-- name: consignments
select
    consignment, tps, direction, region, origin, destination, legs, units, release_from,
    release_until, state, leg, missing, departed_at, received_at, late
from custody.consignment
where
    consignment > :after
    and region >= :low and region < :high
    and (:tps::text is null or tps = :tps)
    and (:state::text is null or state = :state)
    and (:direction::text is null or direction = :direction)
    and (
        :scope::text [] is null
        or exists (
            select from unnest(:scope::text []) as s (code)
            where exists (
                select from unnest(region || regions) as r (code)
                where starts_with(r.code, s.code)
            )
        )
    )
order by consignment
limit :fetch;

-- name: consignment^
select
    consignment, tps, direction, region, regions, origin, destination, legs, units, release_from,
    release_until, state, leg, missing, departed_at, received_at, late, position
from custody.consignment
where consignment = :consignment;

-- name: unit_figures
select state, split_part(custodian, '-', 1) as custodian_kind, broken, count(*) as n
from custody.unit
where home >= :low and home < :high
group by 1, 2, 3;

-- name: incident_figures
select kind, count(*) as n
from custody.incident
where region >= :low and region < :high
group by kind;

-- name: consignment_figures
select state, count(*) as n
from custody.consignment
where region >= :low and region < :high
group by state;

-- name: forecast_figures^
select
    count(*) as planned,
    count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where late) as late
from custody.consignment
where
    direction = 'outbound' and tps is not null and release_from < :deadline
    and state <> 'cancelled' and region >= :low and region < :high;

-- name: at_risk
-- Polling stations whose boxes may not arrive in time: their legs take longer than the time that is
-- left, their release window closed before they left, or nobody has planned their delivery.
select r.tps, r.region, r.consignment, r.reason, r.legs_left
from (
    select
        tps, region, consignment, legs - leg as legs_left,
        case
            when state = 'planned' and release_until < :now then 'window-closed'
            else 'too-slow'
        end as reason
    from custody.consignment
    where
        direction = 'outbound' and tps is not null and release_from < :deadline
        and state in ('planned', 'departed')
        and region >= :low and region < :high
        and (
            :now::timestamptz + (legs - leg) * :pace::interval > :deadline::timestamptz
            or state = 'planned' and release_until < :now
        )
    union all
    select u.tps, min(u.home), null, null::int, 'not-planned'
    from custody.unit as u
    where
        u.tps is not null and u.home >= :low and u.home < :high
        and not exists (
            select from custody.consignment as c
            where c.tps = u.tps and c.direction = 'outbound' and c.state <> 'cancelled'
        )
    group by u.tps
) as r
where r.tps > :after
order by r.tps
limit :fetch;
