-- How healthy the connections are, for whoever runs this: two views, one line a connection and one line a provider.
--
-- They are in schema oauth, which the API does not expose: read them in the SQL editor or with psql. No column of them
-- is a secret.

create view oauth.connection_health
with (security_invoker = true)
as
select
  c.id,
  c.user_id,
  c.provider,
  c.status,
  case
    when c.status <> 'active' then c.status
    when c.provider <> all (w.offered) then 'not_offered'
    when u.key_id is not null then 'unreadable'
    when c.lease_until > t.now then 'refreshing'
    when c.unsettled_until is not null then 'unsettled'
    when c.next_attempt_at > t.now then 'backing_off'
    when c.attempts > 0 then 'retry_due'
    when c.authorization_expires_at <= t.now + interval '14 days' then 'expiring'
    else 'healthy'
  end as health,
  -- Also the cause for which reauthorization is required.
  c.failure_code as last_error,
  case when c.failure_code is not null then (
    select e.created_at from oauth.events e where e.connection_id = c.id order by e.id desc limit 1
  ) end as last_error_at,
  c.attempts,
  c.next_attempt_at,
  c.access_expires_at,
  c.refreshed_at,
  case when c.status = 'active' then
    round((extract(epoch from c.authorization_expires_at - t.now) / 86400)::numeric, 1)
  end as idle_days_left,
  c.refresh_ms,
  u.key_id as unreadable_key_id,
  c.authorization_expires_at
from oauth.connections c
cross join (select clock_timestamp() as now) t
-- One row, or none before the first sweep: then nothing is said of it.
left join oauth.last_sweep w on true
-- Both are little or nothing, and found through an index; a condition with "or" would read every token set.
left join (
  select s.connection_id, s.key_id from oauth.token_sets s where s.unreadable_at is not null
  union
  select s.connection_id, s.key_id from oauth.token_sets s join oauth.unreadable_keys k on k.key_id = s.key_id
) u on u.connection_id = c.id;

comment on view oauth.connection_health is
  'How each connection is: healthy; not_offered (the functions have no settings of its provider, as the last sweep said: nobody refreshes it); refreshing; unreadable (the last sweep could not open its tokens); unsettled (an answer was missed), backing_off and retry_due (refreshing fails at present); expiring (its authorization ends within 14 days: its refresh token dies of disuse because the sweep does not run, or it has an end that only connecting again moves); reauthorization_required; disconnected.';
comment on column oauth.connection_health.last_error is
  'Null since the last success. Where reauthorization is required its cause: grant_refused or rotation_lost.';
comment on column oauth.connection_health.idle_days_left is
  'Until the authorization ends unless somebody refreshes or connects again; null where no such time is known.';
comment on column oauth.connection_health.unreadable_key_id is
  'The key id under which the tokens are sealed, where they do not open: TOKEN_ENCRYPTION_KEYS lacks it, has another key by that id, or the seal is damaged. Null: they open.';
comment on column oauth.connection_health.refresh_ms is
  'What the last refresh took, from the lease to the commit; null where the tokens are those of connecting or came late.';

create view oauth.provider_health
with (security_invoker = true)
as
select
  counted.provider,
  counted.active,
  counted.reauthorization_required,
  counted.disconnected,
  counted.healthy,
  counted.refreshing,
  counted.degraded,
  counted.expiring,
  counted.rotation_lost,
  round((extract(epoch from counted.first_to_expire_at - clock_timestamp()) / 86400)::numeric, 1)
    as least_idle_days_left,
  counted.last_refreshed_at,
  round(took.quantiles[1]) as refresh_ms_p50,
  round(took.quantiles[2]) as refresh_ms_p95,
  counted.unreadable,
  unreadable.key_ids as unreadable_key_ids,
  counted.not_offered
-- What needs an order is asked for once a provider, further down: here it would have every connection sorted.
from (
  select
    h.provider,
    count(*) filter (where h.status = 'active') as active,
    count(*) filter (where h.status = 'reauthorization_required') as reauthorization_required,
    count(*) filter (where h.status = 'disconnected') as disconnected,
    count(*) filter (where h.health = 'healthy') as healthy,
    count(*) filter (where h.health = 'refreshing') as refreshing,
    count(*) filter (where h.health in ('unsettled', 'backing_off', 'retry_due')) as degraded,
    count(*) filter (where h.health = 'expiring') as expiring,
    count(*) filter (where h.status = 'reauthorization_required' and h.last_error = 'rotation_lost') as rotation_lost,
    min(h.authorization_expires_at) filter (where h.status = 'active') as first_to_expire_at,
    max(h.refreshed_at) as last_refreshed_at,
    count(h.unreadable_key_id) as unreadable,
    count(*) filter (where h.health = 'not_offered') as not_offered
  from oauth.connection_health h
  group by h.provider
) counted
cross join lateral (
  select percentile_cont(array[0.5, 0.95]) within group (order by c.refresh_ms) as quantiles
    from oauth.connections c
   where c.provider = counted.provider
     and c.refreshed_at > now() - interval '1 day'
) took
cross join lateral (
  select array_agg(distinct h.unreadable_key_id) as key_ids
    from oauth.connection_health h
   where h.provider = counted.provider
     and h.unreadable_key_id is not null
) unreadable;

comment on view oauth.provider_health is
  'Per provider: connections by status, the active ones by health, and what the last refresh of each connection took where it is less than a day old. Reads every connection.';

revoke all on oauth.connection_health, oauth.provider_health
  from public, anon, authenticated, service_role;
grant select on oauth.connection_health, oauth.provider_health to service_role;
