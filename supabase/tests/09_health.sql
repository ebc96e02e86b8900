-- How an operator sees the connections: one line each, one line a provider.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(26);

insert into auth.users (id) values ('a11ce000-0000-4000-8000-000000000000');

create function pg_temp.id(p_name text) returns uuid language sql as $$ select md5(p_name)::uuid $$;
create function pg_temp.health(p_name text) returns text language sql as $$
  select health from oauth.connection_health where id = pg_temp.id(p_name)
$$;
create function pg_temp.claim(p_name text) returns uuid language sql as $$
  select lease_id from public.oauth_claim_refresh(pg_temp.id(p_name), 1, true, 20000, 25000, 30000)
$$;

select public.oauth_connect(
  pg_temp.id(name), 'a11ce000-0000-4000-8000-000000000000', provider, name, null, null, 'base',
  'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null
)
from (values
  ('well', 'pipedrive'), ('held', 'pipedrive'), ('missed', 'pipedrive'), ('failing', 'pipedrive'), ('abandoned', 'pipedrive'),
  ('neglected', 'pipedrive'), ('refused', 'pipedrive'), ('gone', 'pipedrive'), ('elsewhere', 'other')
) as c (name, provider);

select is(pg_temp.health('well'), 'healthy', 'a connection that was just made is healthy');
select is(
  (select idle_days_left from oauth.connection_health where id = pg_temp.id('well')), 60.0,
  'Pipedrive''s refresh tokens live for 60 days without use'
);
select is(
  (select idle_days_left from oauth.connection_health where id = pg_temp.id('elsewhere')), null,
  'for a provider that names no such time there is none'
);
select is(
  (select refresh_ms from oauth.connection_health where id = pg_temp.id('well')), null,
  'what was never refreshed took no time'
);

-- A refresh

create temp table held as select pg_temp.claim('held') as lease_id;
select is(pg_temp.health('held'), 'refreshing', 'while somebody holds the lease it is being refreshed');
update oauth.connections set claimed_at = clock_timestamp() - interval '340 milliseconds' where id = pg_temp.id('held');
select is(
  (select outcome from held, public.oauth_commit_refresh(
    pg_temp.id('held'), lease_id, 1, 'v1.k1.iv.access2', 'v1.k1.iv.refresh2', 'k1', null, 3600000, 0
  )), 'committed', 'the holder brings new tokens'
);
select is(pg_temp.health('held'), 'healthy', 'then all is well');
select ok(
  (select refresh_ms between 340 and 60000 from oauth.connection_health where id = pg_temp.id('held')),
  'and it is known what the refresh took, from the lease to the commit'
);
select is(
  (select refresh_ms from oauth.connections where id = pg_temp.id('well')), null, 'of this connection and no other'
);
select is(
  (select status from public.oauth_connect(
    pg_temp.id('held'), 'a11ce000-0000-4000-8000-000000000000', 'pipedrive', 'held', null, null, 'base',
    'v1.k1.iv.access3', 'v1.k1.iv.refresh3', 'k1', 3600000, 0, null
  )), 'active', 'the user connects again'
);
select is(
  (select refresh_ms from oauth.connection_health where id = pg_temp.id('held')), null,
  'and the tokens at hand are of no refresh'
);

-- A refresh whose lease was lost meanwhile

create temp table missed as select pg_temp.claim('missed') as lease_id;
update oauth.connections set lease_until = clock_timestamp() - interval '1 second' where id = pg_temp.id('missed');
select isnt(pg_temp.claim('missed'), null, 'a lease that ran out goes to another');
update oauth.connections set lease_until = clock_timestamp() - interval '1 second' where id = pg_temp.id('missed');
select is(pg_temp.health('missed'), 'unsettled', 'a connection of which an answer was missed is unsettled');
select is(
  (select outcome from missed, public.oauth_commit_refresh(
    pg_temp.id('missed'), lease_id, 1, 'v1.k1.iv.access2', 'v1.k1.iv.refresh2', 'k1', null, 3600000, 0
  )), 'committed', 'the first comes late with new tokens'
);
select is(
  (select refresh_ms from oauth.connection_health where id = pg_temp.id('missed')), null,
  'how long it had been away is not known, and not made up'
);

-- Failures

select is(
  (select outcome from public.oauth_fail_refresh(pg_temp.id('failing'), pg_temp.claim('failing'), 'transient', 60000, 'http_503')),
  'retry', 'a refresh fails'
);
select results_eq(
  $$ select health, last_error, last_error_at = (select max(created_at) from oauth.events where connection_id = h.id),
            attempts, next_attempt_at > now()
       from oauth.connection_health h where id = pg_temp.id('failing') $$,
  $$ values ('backing_off', 'http_503', true, 1, true) $$,
  'it is backing off, and says why, since when and until when'
);
update oauth.connections set next_attempt_at = clock_timestamp() where id = pg_temp.id('failing');
select is(pg_temp.health('failing'), 'retry_due', 'past its back-off a retry is due');

select is(
  (select outcome from public.oauth_fail_refresh(pg_temp.id('refused'), pg_temp.claim('refused'), 'permanent', 0, null)),
  'reauthorization_required', 'a refresh is refused for good'
);
select results_eq(
  $$ select status, health, last_error, idle_days_left from oauth.connection_health where id = pg_temp.id('refused') $$,
  $$ values ('reauthorization_required', 'reauthorization_required', 'grant_refused', null::numeric) $$,
  'its user must connect again, and the cause is there'
);

-- Neglect

update oauth.connections set refreshed_at = now() - interval '46 days' where id = pg_temp.id('neglected');
select is(pg_temp.health('neglected'), 'expiring', 'two weeks before a refresh token dies of disuse its connection is expiring');
update oauth.connections set refreshed_at = now() - interval '45 days' where id = pg_temp.id('neglected');
select is(pg_temp.health('neglected'), 'healthy', 'and not before');
update oauth.connections set refreshed_at = now() - interval '58 days' where id = pg_temp.id('neglected');

select isnt_empty(
  $$ select public.oauth_disconnect(pg_temp.id('gone'), 'a11ce000-0000-4000-8000-000000000000', 'pipedrive') $$, 'a user disconnects'
);
select is(pg_temp.health('gone'), 'disconnected', 'that is no illness, and is said by its name');

-- A provider in one line, as the server's role reads it

update oauth.connections set refresh_ms = ms, committed_lease_id = gen_random_uuid(), refreshed_at = refreshed_at - age
  from (values (pg_temp.id('well'), 100, interval '0'), (pg_temp.id('held'), 300, '0'), (pg_temp.id('abandoned'), 9000, '2 days')) as took (took_id, ms, age)
 where id = took_id;
set local role service_role;
select results_eq(
  $$ select provider, active, reauthorization_required, disconnected, healthy, refreshing, degraded, expiring,
            rotation_lost, least_idle_days_left, refresh_ms_p50, refresh_ms_p95
       from oauth.provider_health order by provider $$,
  $$ values
    ('other', 1::bigint, 0::bigint, 0::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint,
     null::numeric, null::double precision, null::double precision),
    ('pipedrive', 6, 1, 1, 4, 0, 1, 1, 0, 2.0, 200, 290) $$,
  'a provider''s line counts its connections, and measures the refreshes of the last day'
);
reset role;
set local role authenticated;
select throws_ok('select from oauth.connection_health', '42501', null, 'users have no part in it');

select * from finish();
rollback;
