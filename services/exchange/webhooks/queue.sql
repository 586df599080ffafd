-- name: prepare#
-- The tables of webhooks, beside the log that fills them. Several processes may ask for them.
select pg_advisory_xact_lock(hashtext('kawal_webhook'));
create schema if not exists webhook;
create table if not exists webhook.reader (
    one boolean primary key default true check (one),
    log_id uuid not null,
    position bigint not null
);
comment on table webhook.reader is 'How far the log was read into the queue.';
create table if not exists webhook.endpoint (
    endpoint text primary key,
    agency text not null,
    region text not null,
    url text not null,
    topics text [] not null,
    within text [] not null,
    enabled boolean not null default true,
    disabled_because text,
    disabled_at bigint,
    failing_since timestamptz,
    paused_until timestamptz
);
comment on column webhook.endpoint.disabled_at is
'Position in the log: what came later was not queued, and is had by a replay from here.';
create table if not exists webhook.secret (
    endpoint text not null,
    made_at timestamptz not null default clock_timestamp(),
    secret bytea not null,
    ends_at timestamptz,
    primary key (endpoint, made_at)
);
create table if not exists webhook.delivery (
    id uuid primary key,
    number bigint not null unique generated always as identity,
    endpoint text not null,
    entity text not null,
    position bigint not null,
    index integer not null,
    event uuid not null,
    event_position bigint not null,
    type text not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
    tries integer not null default 0,
    due timestamptz not null default clock_timestamp(),
    queued_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    behind uuid
);
comment on column webhook.delivery.behind is
'A dead letter about the same entity: the endpoint was told that it misses that.';
create index if not exists delivery_due on webhook.delivery (endpoint, due) where state = 'waiting';
create index if not exists delivery_entity
on webhook.delivery (endpoint, entity, position, index) where state <> 'delivered';
create index if not exists delivery_number on webhook.delivery (endpoint, number);
create index if not exists delivery_done on webhook.delivery (done_at) where state = 'delivered';
create table if not exists webhook.attempt (
    number bigint primary key generated always as identity,
    delivery uuid not null references webhook.delivery on delete cascade,
    at timestamptz not null default clock_timestamp(),
    status integer,
    error text not null,
    latency_ms integer not null,
    next_at timestamptz
);
create index if not exists attempt_delivery on webhook.attempt (delivery, number);

-- name: reader^
select log_id, position from webhook.reader;

-- name: start_reader!
insert into webhook.reader (log_id, position) values (:log_id, :position)
on conflict (one) do update set log_id = excluded.log_id, position = excluded.position;

-- name: advance$
-- Nothing if another reader was here.
update webhook.reader set position = :ends
where log_id = :log_id and position = :starts
returning position;

-- name: describe!
insert into webhook.endpoint (endpoint, agency, region, url, topics, within)
values (:endpoint, :agency, :region, :url, :topics, :within)
on conflict (endpoint) do update
set
    region = excluded.region, url = excluded.url, topics = excluded.topics, within = excluded.within;

-- name: disable!
update webhook.endpoint
set enabled = false, disabled_because = :reason, disabled_at = :position
where endpoint = :endpoint;

-- name: enable!
-- What waited is due, each at a moment of its own: claims go by the index of that.
with waits as (
    update webhook.delivery set due = clock_timestamp(), tries = 0
    where endpoint = :endpoint and state = 'waiting'
)
update webhook.endpoint
set
    enabled = true, disabled_because = null, disabled_at = null,
    failing_since = null, paused_until = null
where endpoint = :endpoint;

-- name: served
-- The endpoints for which facts are queued.
select endpoint, agency, topics, within from webhook.endpoint where enabled;

-- name: queue!
insert into webhook.delivery (id, endpoint, entity, position, index, event, event_position, type)
select *
from unnest(
    :ids::uuid [], :endpoints::text [], :entities::text [], :positions::bigint [],
    :indexes::integer [], :events::uuid [], :event_positions::bigint [], :types::text []
)
on conflict (id) do nothing;

-- name: queue_again!
-- As queue, but what was delivered or given up is sent again. What waits is not even locked, for
-- it may be about to be noted as delivered.
insert into webhook.delivery (id, endpoint, entity, position, index, event, event_position, type)
select *
from unnest(
    :ids::uuid [], :endpoints::text [], :entities::text [], :positions::bigint [],
    :indexes::integer [], :events::uuid [], :event_positions::bigint [], :types::text []
) as q (id)
where not exists (select from webhook.delivery as d where d.id = q.id and d.state = 'waiting')
on conflict (id) do update
set
    state = 'waiting', tries = 0, due = clock_timestamp(), queued_at = clock_timestamp(),
    done_at = null, behind = null
where delivery.state <> 'waiting';

-- name: due
-- The endpoints to which something can be sent now.
select e.endpoint
from webhook.endpoint as e
where e.enabled and coalesce(e.paused_until, now()) <= now()
    and exists (select from webhook.secret as s where s.endpoint = e.endpoint)
    and exists (
        select from webhook.delivery as d
        where d.endpoint = e.endpoint and d.state = 'waiting' and d.due <= now()
    );

-- name: target^
-- Where an endpoint is, and what signs, the newest first; no row if nothing is to be sent.
select e.url, array_agg(s.secret order by s.made_at desc) as secrets
from webhook.endpoint as e
join webhook.secret as s on s.endpoint = e.endpoint and coalesce(s.ends_at, 'infinity') > now()
where e.endpoint = :endpoint
    and (:anyway::boolean or (e.enabled and coalesce(e.paused_until, now()) <= now()))
group by e.endpoint;

-- name: claim
-- What is due and under way neither itself nor by its entity: the first that waits of each.
select
    d.id, d.event_position, d.tries, d.queued_at,
    (
        select b.id from webhook.delivery as b
        where b.endpoint = d.endpoint and b.entity = d.entity and b.state = 'dead'
            and (b.position, b.index) < (d.position, d.index)
        order by b.position desc, b.index desc
        limit 1
    ) as behind
from webhook.delivery as d
where d.endpoint = :endpoint and d.state = 'waiting' and d.due <= now()
    and d.id <> all(:busy::uuid [])
    and not exists (
        select from webhook.delivery as b
        where b.endpoint = d.endpoint and b.entity = d.entity and b.state = 'waiting'
            and (b.position, b.index) < (d.position, d.index)
    )
order by d.due, d.number
limit :limit;

-- name: delivered!
with known as (
    select *
    from unnest(:ids::uuid [], :behinds::uuid [], :statuses::integer [], :latencies::integer [])
        as k (id, behind, status, latency_ms)
), done as (
    update webhook.delivery as d
    set state = 'delivered', tries = d.tries + 1, done_at = now(), behind = k.behind
    from known as k
    where d.id = k.id and d.state = 'waiting'
), logged as (
    insert into webhook.attempt (delivery, status, error, latency_ms)
    select id, status, '', latency_ms from known
)
update webhook.endpoint set failing_since = null, paused_until = null
where endpoint = :endpoint and failing_since is not null;

-- name: failed^
-- Without a next try it is a dead letter, and what waits behind it goes on; else that waits too.
with tried as (
    update webhook.delivery
    set
        state = case when :seconds::float8 is null then 'dead' else 'waiting' end,
        done_at = case when :seconds::float8 is null then now() end,
        due = coalesce(now() + make_interval(secs => :seconds::float8), due),
        tries = tries + 1, behind = :behind
    where id = :id and state = 'waiting'
    returning endpoint, entity, due
), held as (
    update webhook.delivery as d set due = t.due
    from tried as t
    where d.endpoint = t.endpoint and d.entity = t.entity and d.state = 'waiting'
        and d.id <> :id and d.due < t.due and :seconds::float8 is not null
), logged as (
    insert into webhook.attempt (delivery, status, error, latency_ms, next_at)
    values (
        :id, :status, :error, :latency_ms, now() + make_interval(secs => :seconds::float8)
    )
    returning number
)
update webhook.endpoint as e
set
    failing_since = coalesce(e.failing_since, now()),
    paused_until = greatest(e.paused_until, now() + make_interval(secs => :pause::float8))
from logged as l
where e.endpoint = :endpoint
returning
    l.number as attempt,
    extract(epoch from now() - coalesce(e.failing_since, now()))::float8 as failing_seconds;

-- name: release$
-- A dead letter is tried again, from the beginning of the schedule.
update webhook.delivery
set state = 'waiting', tries = 0, due = now(), done_at = null
where id = :id and state = 'dead'
returning id;

-- name: oldest$
select extract(epoch from now() - min(d.queued_at))::float8
from webhook.delivery as d
join webhook.endpoint as e on e.endpoint = d.endpoint and e.enabled
where d.state = 'waiting';

-- name: forget!
delete from webhook.delivery
where state = 'delivered' and done_at < now() - make_interval(days => :days::integer);

-- name: one_at_a_time#
-- Two that make a secret at once would each leave the other's without an end.
select pg_advisory_xact_lock(hashtext('kawal_webhook_secret'));

-- name: add_secret!
-- What signs no more is kept no longer.
with ended as (
    delete from webhook.secret where endpoint = :endpoint and ends_at <= now()
), ending as (
    update webhook.secret
    set ends_at = least(ends_at, now() + make_interval(secs => :overlap::float8))
    where endpoint = :endpoint and coalesce(ends_at, 'infinity') > now()
)
insert into webhook.secret (endpoint, secret) values (:endpoint, :secret);

-- name: endpoints
select
    e.endpoint, e.agency, e.region, e.url, e.topics, e.within, e.enabled, e.disabled_because,
    e.disabled_at, e.failing_since, e.paused_until,
    (select max(s.made_at) from webhook.secret as s where s.endpoint = e.endpoint) as secret_made_at
from webhook.endpoint as e
where e.endpoint > :after
    and (:endpoint::text is null or e.endpoint = :endpoint)
    and (:agency::text is null or e.agency = :agency)
    and (:scope::text [] is null or exists (
        select from unnest(:scope::text []) as s (code)
        where e.region = s.code or starts_with(e.region, s.code || '.')
    ))
order by e.endpoint
limit :limit;

-- name: deliveries
-- Newest first, each with its latest try.
select
    d.number, d.id, d.endpoint, e.agency, d.entity, d.position, d.event, d.type, d.state, d.tries,
    d.queued_at, d.done_at, d.behind, a.status, a.error, a.latency_ms,
    case when d.state = 'waiting' then d.due end as next_at
from webhook.delivery as d
join webhook.endpoint as e on e.endpoint = d.endpoint
left join lateral (
    select l.status, l.error, l.latency_ms from webhook.attempt as l
    where l.delivery = d.id
    order by l.number desc
    limit 1
) as a on true
where d.number < :before::bigint
    and (:id::uuid is null or d.id = :id)
    and (:endpoint::text is null or d.endpoint = :endpoint)
    and (:state::text is null or d.state = :state)
    and (:type::text is null or d.type = :type)
    and (:agency::text is null or e.agency = :agency)
    and (:scope::text [] is null or exists (
        select from unnest(:scope::text []) as s (code)
        where e.region = s.code or starts_with(e.region, s.code || '.')
    ))
order by d.number desc
limit :limit;

-- name: attempts
select at, status, error, latency_ms, next_at from webhook.attempt
where delivery = :id
order by number;
