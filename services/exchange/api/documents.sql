-- name: verified^
-- The issued letter of which this is the hash of the document or of its content.
select
    l.number, l.issued_at, l.document, l.state, l.nature,
    coalesce(s.name, l.sender) as sender,
    coalesce(a.name, l.addressee) as addressee
from exchange.letter as l
left join exchange.agency as s on s.agency = l.sender
left join exchange.agency as a on a.agency = l.addressee
where l.document = :sha256 or l.content = :sha256
limit 1;
