-- name: sites^
-- Storage places of the regions that the reader may see.
select
    count(*) filter (where state not in ('rejected', 'replaced')) as total,
    count(*) filter (where state = 'ready') as ready,
    count(*) filter (where state not in ('ready', 'rejected', 'replaced')) as pending,
    count(*) filter (where unchanged and state not in ('rejected', 'replaced')) as unchanged,
    max(as_of) as as_of
from overview.site
where
    :everything::boolean
    or exists (
        select from unnest(:scope::text []) as s (code)
        where region = s.code or starts_with(region, s.code || '.')
    );

-- name: letters^
select
    count(*) filter (where state not in ('closed', 'refused', 'followed-up')) as open,
    count(*) filter (where (state in ('issued', 'dispatched') and answer_due < clock.now)
        or (state = 'acknowledged' and follow_up_due < clock.now)) as overdue,
    count(*) as total,
    max(as_of) as as_of
from overview.letter
cross join (select coalesce(max(at), now()) as now from overview.clock) as clock
where
    :everything::boolean
    or exists (
        select from unnest(:scope::text []) as s (code)
        where region = s.code or starts_with(region, s.code || '.')
    );

-- name: figures
select metric, key, sum(n)::bigint as n, max(as_of) as as_of
from overview.figure
where
    :everything::boolean
    or exists (
        select from unnest(:scope::text []) as s (code)
        where region = s.code or starts_with(region, s.code || '.')
    )
group by metric, key
order by metric, key;

-- name: clock$
select max(at) from overview.clock;
