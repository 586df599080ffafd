-- name: registered!
insert into agency (agency, name, sector, region, jurisdiction, topics, offices)
select distinct on (agency) agency, name, sector, region, jurisdiction, notices, offices
from jsonb_to_recordset(:events::text::jsonb) as e (
    position bigint, agency text, name text, sector text, region text,
    jurisdiction text [], notices text [], offices jsonb
)
order by agency, position desc
on conflict (agency) do update set
    name = excluded.name,
    sector = excluded.sector,
    region = excluded.region,
    jurisdiction = excluded.jurisdiction,
    topics = excluded.topics,
    offices = excluded.offices;

-- name: drafted!
with drafts as (
    select *
    from jsonb_to_recordset(:events::text::jsonb) as e (
        position bigint, at timestamptz, letter text, letter_kind text, region text, sender text,
        addressee text, attention text, copies text [], subject text, nature text,
        supplements text, sites jsonb
    )
), sites as (
    insert into letter_site (letter, site)
    select d.letter, s ->> 'site' from drafts as d, jsonb_array_elements(d.sites) as s
)
insert into letter (
    letter, position, letter_kind, region, sender, addressee, attention, agencies,
    subject, nature, state, supplements, drafted_at, changed_at
)
select
    letter, position, letter_kind, region, sender, addressee, attention,
    array(
        select addressee union select split_part(copy, '.', 1) from unnest(copies) as copy
    ),
    subject, nature, 'drafted', supplements, at, at
from drafts;

-- name: forget_sites!
delete from letter_site
using jsonb_to_recordset(:events::text::jsonb) as e (letter text)
where letter_site.letter = e.letter;

-- name: amended!
with amended as (
    select distinct on (letter) letter, at, sites
    from jsonb_to_recordset(:events::text::jsonb)
        as e (position bigint, at timestamptz, letter text, sites jsonb)
    order by letter, position desc
), sites as (
    insert into letter_site (letter, site)
    select a.letter, s ->> 'site' from amended as a, jsonb_array_elements(a.sites) as s
)
update letter as l set changed_at = a.at from amended as a where l.letter = a.letter;

-- name: issued!
update letter as l
set state = 'issued', number = e.number, issued_at = e.at, answer_due = e.answer_due,
    changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb)
    as e (at timestamptz, letter text, number text, answer_due timestamptz)
where l.letter = e.letter;

-- name: rendered!
update letter as l
set document = e.sha256, content = e.content_sha256, changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb)
    as e (at timestamptz, letter text, sha256 text, content_sha256 text)
where l.letter = e.letter;

-- name: dispatched!
update letter as l
set state = 'dispatched', follow_up_due = e.follow_up_due, changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb)
    as e (at timestamptz, letter text, follow_up_due timestamptz)
where l.letter = e.letter;

-- name: acknowledged!
update letter as l set state = 'acknowledged', changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb) as e (at timestamptz, letter text)
where l.letter = e.letter;

-- name: followed_up!
with answers as (
    select *
    from jsonb_to_recordset(:events::text::jsonb) as e (
        position bigint, at timestamptz, letter text, agency text, order_number text,
        assignments jsonb
    )
), assigned as (
    insert into assignment (
        site, letter, security_unit, agency, personnel, shifts, rings, order_number, assigned_at
    )
    select distinct on (a.site, f.letter, a.security_unit)
        a.site, f.letter, a.security_unit, f.agency, a.personnel, a.shifts, a.rings,
        f.order_number, f.at
    from answers as f, jsonb_to_recordset(f.assignments) as a (
        site text, security_unit text, personnel integer, shifts integer, rings text []
    )
    order by a.site, f.letter, a.security_unit, f.position desc
    on conflict (site, letter, security_unit) do update set
        personnel = excluded.personnel,
        shifts = excluded.shifts,
        rings = excluded.rings,
        order_number = excluded.order_number,
        assigned_at = excluded.assigned_at
)
update letter as l set state = 'followed-up', changed_at = f.at
from answers as f where l.letter = f.letter;

-- name: refused!
update letter as l set state = 'refused', changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb) as e (at timestamptz, letter text)
where l.letter = e.letter;

-- name: closed!
update letter as l set state = 'closed', changed_at = e.at
from jsonb_to_recordset(:events::text::jsonb) as e (at timestamptz, letter text)
where l.letter = e.letter;

-- name: escalated!
update letter as l set escalated = l.escalated || e.steps, changed_at = e.at
from (
    select letter, array_agg(step order by position) as steps, max(at) as at
    from jsonb_to_recordset(:events::text::jsonb)
        as e (position bigint, at timestamptz, letter text, step text)
    group by letter
) as e
where l.letter = e.letter;

-- name: coverage_closed!
insert into closed_coverage (site, reason, closed_at)
select site, reason, at
from jsonb_to_recordset(:events::text::jsonb) as e (at timestamptz, site text, reason text)
on conflict (site) do nothing;

-- name: noticed!
insert into notice (position, notice, topic, about, subject, region, agencies, summary, sent_at)
select position, notice, topic, about, subject, region, agencies, summary, at
from jsonb_to_recordset(:events::text::jsonb) as e (
    position bigint, at timestamptz, notice text, topic text, about text, subject text,
    region text, agencies text [], summary text
);
