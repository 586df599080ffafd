-- name: agencies
select agency, name, sector, region, jurisdiction, topics as notices, offices
from exchange.agency
where agency > :after
order by agency
limit :limit;

-- name: letters
-- Newest first. With an agency: what was sent to it or copied to it, wherever it is about.
select
    letter, position, letter_kind, region, sender, addressee, attention, subject, nature, state,
    supplements, number, drafted_at, changed_at, answer_due, follow_up_due, escalated,
    (
        (state in ('issued', 'dispatched') and answer_due < :now::timestamptz)
        or (state = 'acknowledged' and follow_up_due < :now::timestamptz)
    ) is true as overdue
from exchange.letter as l
where (:region::text is null or l.region = :region or starts_with(l.region, :region || '.'))
    and case
        when :agency::text is null then
            :scope::text [] is null or exists (
                select from unnest(:scope::text []) as s (code)
                where l.region = s.code or starts_with(l.region, s.code || '.')
            )
        else
            :agency = any(l.agencies)
            and (l.state not in ('drafted', 'issued') or l.sender = :agency)
    end
    and (:state::text is null or l.state = :state)
    and (:overdue::boolean is null or :overdue = ((
        (state in ('issued', 'dispatched') and answer_due < :now::timestamptz)
        or (state = 'acknowledged' and follow_up_due < :now::timestamptz)
    ) is true))
    and l.position < :before::bigint
order by l.position desc
limit :limit;

-- name: notices
-- Newest first. With an agency: its own.
select position, notice, topic, about, subject, region, agencies, summary, sent_at
from exchange.notice as n
where (:region::text is null or n.region = :region or starts_with(n.region, :region || '.'))
    and (:everything::boolean or exists (
        select from unnest(:scope::text []) as s (code)
        where n.region = s.code or starts_with(n.region, s.code || '.')
    ))
    and (:agency::text is null or :agency = any(n.agencies))
    and (:topic::text is null or n.topic = :topic)
    and n.position < :before::bigint
order by n.position desc
limit :limit;

-- name: coverage
-- Every place in use, or to be: who secures it, in which letters it is named.
select
    s.site, s.name, s.region, s.function, s.state, s.cctv,
    c.by is not null as secured,
    coalesce(c.by, '[]') as secured_by,
    array(
        select n.letter from exchange.letter_site as n where n.site = s.site order by n.letter
    ) as letters
from sites.site as s
left join lateral (
    select jsonb_agg(jsonb_build_object(
        'letter', a.letter, 'agency', a.agency, 'security_unit', a.security_unit,
        'personnel', a.personnel, 'shifts', a.shifts, 'rings', a.rings,
        'order_number', a.order_number
    ) order by a.letter, a.security_unit) as by
    from exchange.assignment as a
    where a.site = s.site
        and not exists (select from exchange.closed_coverage as x where x.site = a.site)
) as c on true
where s.state not in ('rejected', 'replaced')
    and (:region::text is null or s.region = :region or starts_with(s.region, :region || '.'))
    and (:scope::text [] is null or exists (
        select from unnest(:scope::text []) as k (code)
        where s.region = k.code or starts_with(s.region, k.code || '.')
    ))
    and (:secured::boolean is null or :secured = (c.by is not null))
    and s.site > :after
order by s.site
limit :limit;

-- name: letter_totals^
select
    count(*) filter (where state = 'drafted') as drafted,
    count(*) filter (where state = 'issued') as issued,
    count(*) filter (where state = 'dispatched') as dispatched,
    count(*) filter (where state = 'acknowledged') as acknowledged,
    count(*) filter (where state = 'followed-up') as followed_up,
    count(*) filter (where state = 'closed') as closed,
    count(*) filter (where state = 'refused') as refused,
    count(*) filter (
        where (state in ('issued', 'dispatched') and answer_due < :now::timestamptz)
            or (state = 'acknowledged' and follow_up_due < :now::timestamptz)
    ) as overdue,
    count(*) filter (where letter_kind = 'supplementary') as supplementary,
    count(*) as total
from exchange.letter as l
where (:region::text is null or l.region = :region or starts_with(l.region, :region || '.'))
    and (:scope::text [] is null or exists (
        select from unnest(:scope::text []) as s (code)
        where l.region = s.code or starts_with(l.region, s.code || '.')
    ))
    and (:agency::text is null or (
        :agency = any(l.agencies)
        and (l.state not in ('drafted', 'issued') or l.sender = :agency)
    ));

-- name: notice_total$
select count(*) from exchange.notice as n
where (:region::text is null or n.region = :region or starts_with(n.region, :region || '.'))
    and (:scope::text [] is null or exists (
        select from unnest(:scope::text []) as s (code)
        where n.region = s.code or starts_with(n.region, s.code || '.')
    ))
    and (:agency::text is null or :agency = any(n.agencies));

-- name: coverage_totals^
select count(*) as sites, count(*) filter (where secured) as secured,
    count(*) filter (where not secured) as open
from (
    select exists (select from exchange.assignment as a where a.site = s.site)
        and not exists (select from exchange.closed_coverage as x where x.site = s.site) as secured
    from sites.site as s
    where s.state not in ('rejected', 'replaced')
        and (:region::text is null or s.region = :region or starts_with(s.region, :region || '.'))
        and (:scope::text [] is null or exists (
            select from unnest(:scope::text []) as k (code)
            where s.region = k.code or starts_with(s.region, k.code || '.')
        ))
) as live;
