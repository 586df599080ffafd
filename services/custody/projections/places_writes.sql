-- name: save!
-- A place as its last event leaves it.
insert into place (place, kind, region, state)
select p.place, p.kind, p.region, p.state
from unnest(:ids::text [], :kinds::text [], :regions::text [], :states::text [])
    as p (place, kind, region, state)
on conflict (place) do update set region = excluded.region, state = excluded.state;
