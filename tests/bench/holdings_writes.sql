-- name: save!
-- Who holds a unit now; its hand-overs are counted.
insert into holder as h (unit, holder, place, hand_overs)
select n.unit, n.holder, n.place, n.hand_overs
from unnest(:units::text [], :holders::text [], :places::text [], :hand_overs::bigint [])
    as n (unit, holder, place, hand_overs)
on conflict (unit) do update set
    holder = excluded.holder, place = excluded.place,
    hand_overs = h.hand_overs + excluded.hand_overs;

-- name: counted$
select sum(hand_overs)::bigint from holdings.holder;

-- name: forget_place!
delete from projection.projection where name = 'holdings';

-- name: forget_tables!
drop schema if exists holdings, holdings__previous cascade;
