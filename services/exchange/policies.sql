-- name: letters_about
-- Issued letters that a site concerns: requests about its region (a printer: any region that it
-- serves), and whatever names it. A supplement speaks for the letter that it supplements.
select l.letter
from exchange.letter as l
join sites.site as s on s.site = :site::text
where l.supplements is null
    and l.state not in ('drafted', 'refused')
    and (
        (l.letter_kind = 'security-request' and (
            s.region = l.region
            or s.region like l.region || '.%'
            or (s.function = 'printer' and l.region like s.region || '.%')
        ))
        or exists (
            select from exchange.letter_site as n where n.letter = l.letter and n.site = s.site
        )
        or exists (
            select from exchange.letter as x
            join exchange.letter_site as n using (letter)
            where x.supplements = l.letter and n.site = s.site
        )
    )
order by l.position;

-- name: differences
-- What changed between the draft of a letter and its issue: ready places that a request does not
-- name, named places that were withdrawn.
select s.*
from exchange.letter as l
join sites.site as s on
    s.region = l.region
    or s.region like l.region || '.%'
    or (s.function = 'printer' and l.region like s.region || '.%')
    or exists (
        select from exchange.letter_site as n where n.letter = l.letter and n.site = s.site
    )
left join exchange.letter_site as named on named.letter = l.letter and named.site = s.site
where l.letter = :letter and l.supplements is null
    and (
        (l.letter_kind = 'security-request' and s.state = 'ready' and named.site is null)
        or (s.state in ('rejected', 'replaced') and named.site is not null)
    )
order by s.site;

-- name: site^
select * from sites.site where site = :site;
