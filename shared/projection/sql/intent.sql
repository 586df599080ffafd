-- name: add!
-- Kept for ever: an intent that is there already, whatever became of it, is never issued again.
insert into projection.intent (command_id, policy, source, position, ordinal, event_id, command, payload, retry, traceparent)
select i.command_id, :policy, :source, i.position, i.ordinal, i.event_id, i.command, i.payload::jsonb, i.retry, i.traceparent
  from unnest(:ids::uuid[], :positions::bigint[], :ordinals::integer[], :events::uuid[], :commands::text[],
              :payloads::text[], :retries::boolean[], :traces::text[])
       as i (command_id, position, ordinal, event_id, command, payload, retry, traceparent)
on conflict do nothing;

-- name: due
-- The longest due first, whosever they are: one policy's many do not hold up another's few.
select command_id, policy, source, position, event_id, command, payload::text as payload, retry, traceparent, attempts
  from projection.intent
 where state = 'pending' and policy = any(:policies::text[]) and due_at <= clock_timestamp()
 order by due_at, policy, source, position, ordinal limit :limit;

-- name: next_due$
select extract(epoch from min(due_at) - clock_timestamp())::float8 from projection.intent
 where state = 'pending' and policy = any(:policies::text[]);

-- name: settle!
update projection.intent i
   set state = s.state, attempts = i.attempts + 1, outcome = s.outcome::jsonb,
       due_at = clock_timestamp() + s.delay * interval '1 second',
       finished_at = case when s.state <> 'pending' then clock_timestamp() end
  from unnest(:ids::uuid[], :states::text[], :outcomes::text[], :delays::float8[]) as s (command_id, state, outcome, delay)
 where i.command_id = s.command_id and i.state = 'pending';

-- name: unsettled$
select exists (select from projection.intent
                where state = 'pending' and policy = :policy and source = :source and position <= :position);

-- name: trouble
-- Commands that were refused or failed, oldest first.
select command_id, policy, source, position, event_id, command, payload::text as payload, state, attempts,
       outcome::text as outcome, created_at, finished_at
  from projection.intent
 where state in ('refused', 'failed') and (:policy::text is null or policy = :policy)
 order by created_at, ordinal limit :limit;

-- name: again$
-- Puts a refused or failed intent back in the queue under the same command id.
update projection.intent set state = 'pending', attempts = 0, due_at = clock_timestamp(), finished_at = null
 where command_id = :command_id and state in ('refused', 'failed') returning true;

-- name: counts
select policy, state, count(*) as intents from projection.intent group by policy, state order by policy, state;
