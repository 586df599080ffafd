-- name: add_figures!
-- Add to counters; a figure is as old as the last fact that changed it.
insert into figure as f (metric, key, region, n, as_of)
select metric, key, region, n, as_of
from unnest(:metrics::text [], :keys::text [], :regions::text [], :counts::bigint [], :as_of::timestamptz [])
    as t (metric, key, region, n, as_of)
on conflict (metric, key, region) do update
    set n = f.n + excluded.n, as_of = greatest(f.as_of, excluded.as_of);

-- name: save_site!
insert into site (site, region, state, unchanged, as_of)
values (:site, :region, :state, :unchanged, :as_of)
on conflict (site) do update set state = excluded.state, as_of = excluded.as_of;

-- name: move_site!
update site set state = :state, as_of = :as_of where site = :site;

-- name: save_letter!
insert into letter as l (letter, region, state, answer_due, follow_up_due, as_of)
values (:letter, :region, :state, :answer_due, :follow_up_due, :as_of)
on conflict (letter) do update set
    state = excluded.state,
    answer_due = coalesce(excluded.answer_due, l.answer_due),
    follow_up_due = coalesce(excluded.follow_up_due, l.follow_up_due),
    as_of = excluded.as_of;

-- name: save_koli!
insert into koli (unit) select unnest(:units::text []) on conflict do nothing;

-- name: koli_among
select unit from koli where unit = any(:units::text []);

-- name: move_clock!
insert into clock (service, at) values (:service, :at)
on conflict (service) do update set at = greatest(clock.at, excluded.at);
