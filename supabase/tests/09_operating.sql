-- What whoever runs the project sees and may switch on: the connections, one line each and one line a provider; the
-- schedule and the live events, here where their extensions are not.
begin;
\ir helpers.psql
select plan(44);

create function health(p_name text) returns text language sql as $$
  select health from oauth.connection_health where id = named(p_name)
$$;
create function refresh_ms(p_name text) returns bigint language sql as $$
  select refresh_ms from oauth.connection_health where id = named(p_name)
$$;
create function lease_ends(p_name text) returns void language sql as $$
  update oauth.connections set lease_until = clock_timestamp() - interval '1 s' where id = named(p_name)
$$;

select connects('1', named(name), alice(), name, provider)
from (values
  ('well', 'pipedrive'), ('held', 'pipedrive'), ('missed', 'pipedrive'), ('failing', 'pipedrive'), ('abandoned', 'pipedrive'),
  ('neglected', 'pipedrive'), ('refused', 'pipedrive'), ('gone', 'pipedrive'), ('elsewhere', 'other')
) as c (name, provider);
update oauth.connections set authorization_expires_at = clock_timestamp() + interval '60 days' where provider = 'pipedrive';

select is(health('well'), 'healthy', 'a connection that was just made is healthy');
select is(
  (select idle_days_left from oauth.connection_health where id = named('well')), 60.0,
  'it is known how long its authorization lives without use'
);
select is(
  (select idle_days_left from oauth.connection_health where id = named('elsewhere')), null,
  'where no such time is known there is none'
);
select is(refresh_ms('well'), null, 'what was never refreshed took no time');

-- A refresh

select claims('holder', 1, true, named('held'));
select is(health('held'), 'refreshing', 'while somebody holds the lease it is being refreshed');
update oauth.connections set claimed_at = clock_timestamp() - interval '340 milliseconds' where id = named('held');
select is(commits('holder', 1, '2', p_id => named('held')), 'committed 2', 'the holder brings new tokens');
select is(health('held'), 'healthy', 'then all is well');
select ok(
  refresh_ms('held') between 340 and 60000, 'and it is known what the refresh took, from the lease to the commit'
);
select is(refresh_ms('well'), null, 'of this connection and no other');

-- A refresh whose lease was lost meanwhile

select claims('late', 2, true, named('held')), lease_ends('held'), claims('taker', 2, true, named('held'));
select is(commits('late', 2, '3', p_id => named('held')), 'committed 3', 'whoever lost the lease brings new tokens');
select is(refresh_ms('held'), null, 'what that took is not known, and what an earlier one took is not told instead');
select is(connects('4', named('held'), p_account_key => 'held'), 4::bigint, 'the user connects again');
select is(refresh_ms('held'), null, 'and the tokens at hand are of no refresh');
select claims('first', 1, true, named('missed')), lease_ends('missed');
select is(claims('second', 1, true, named('missed')), 'claimed 1', 'a lease that ran out goes to another');
select lease_ends('missed');
select is(health('missed'), 'unsettled', 'a connection of which an answer was missed is unsettled');
select is(commits('first', 1, '2', p_id => named('missed')), 'committed 2', 'the first comes late with new tokens');
select is(refresh_ms('missed'), null, 'how long it had been away is not known, and not made up');

-- Failures

select claims('unlucky', 1, true, named('failing'));
select is(fails('unlucky', 'transient', 'http_503', 60000, named('failing')), 'retry', 'a refresh fails');
select results_eq(
  $$ select health, last_error, last_error_at = (select max(created_at) from oauth.events where connection_id = h.id),
            attempts, next_attempt_at > now()
       from oauth.connection_health h where id = named('failing') $$,
  $$ values ('backing_off', 'http_503', true, 1, true) $$,
  'it is backing off, and says why, since when and until when'
);
update oauth.connections set next_attempt_at = clock_timestamp() where id = named('failing');
select is(health('failing'), 'retry_due', 'past its back-off a retry is due');

select claims('refused', 1, true, named('refused'));
select is(
  fails('refused', 'permanent', p_id => named('refused')), 'reauthorization_required', 'a refresh is refused for good'
);
select results_eq(
  $$ select status, health, last_error, idle_days_left from oauth.connection_health where id = named('refused') $$,
  $$ values ('reauthorization_required', 'reauthorization_required', 'grant_refused', null::numeric) $$,
  'its user must connect again, and the cause is there'
);

-- Neglect

update oauth.connections set authorization_expires_at = now() + interval '14 days' where id = named('neglected');
select is(health('neglected'), 'expiring', 'two weeks before its authorization ends a connection is expiring');
update oauth.connections set authorization_expires_at = now() + interval '15 days' where id = named('neglected');
select is(health('neglected'), 'healthy', 'and not before');
update oauth.connections set authorization_expires_at = now() + interval '2 days' where id = named('neglected');

select isnt(disconnects(named('gone')), null, 'a user disconnects');
select is(health('gone'), 'disconnected', 'that is no illness, and is said by its name');

-- Providers that are offered no more

select is(health('elsewhere'), 'healthy', 'before the first sweep nobody says which providers are offered');
select as_server();
select lives_ok($$ select public.oauth_begin_sweep(array['pipedrive', 'other']) $$, 'a sweep says which are');
select is(health('elsewhere'), 'healthy', 'those are looked after');
select lives_ok($$ select public.oauth_begin_sweep(array['pipedrive']) $$, 'the next says so anew');
select results_eq(
  'select offered, began_at between now() - interval ''1 minute'' and clock_timestamp() from oauth.last_sweep',
  $$ values (array['pipedrive'], true) $$, 'in the place of the one before'
);
select is(health('elsewhere'), 'not_offered', 'a connection that nobody refreshes is named');
select is(health('well'), 'healthy', 'and no other');
select is(health('gone'), 'disconnected', 'nor one that nobody needs');
select as_operator();

-- A provider in one line, as the server's role reads it

update oauth.connections set refresh_ms = ms, refreshed_at = refreshed_at - age
  from (values (named('well'), 100, interval '0'), (named('held'), 300, '0'), (named('abandoned'), 9000, '2 days')) as took (took_id, ms, age)
 where id = took_id;
select as_server();
select results_eq(
  $$ select provider, active, reauthorization_required, disconnected, healthy, refreshing, degraded, expiring,
            rotation_lost, least_idle_days_left, refresh_ms_p50, refresh_ms_p95, not_offered
       from oauth.provider_health order by provider $$,
  $$ values
    ('other', 1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint,
     null::numeric, null::double precision, null::double precision, 1::bigint),
    ('pipedrive', 6, 1, 1, 4, 0, 1, 1, 0, 2.0, 200, 290, 0) $$,
  'a provider''s line counts its connections, and measures the refreshes of the last day'
);
select as_user(alice());
select throws_ok('select from oauth.connection_health', '42501', null, 'users have no part in it');

-- What can be switched on. Nothing else is for whoever runs the project alone, and nobody else has a part in it: the
-- server could neither own the job nor read Vault.

select as_operator();
select case when to_regclass('cron.job') is null then
  throws_matching('select oauth.schedule_sweep()', 'extensions that this database does not have:.*pg_cron',
    'scheduling without pg_cron is refused in words that name it')
else skip('pg_cron is here') end;
select case when to_regclass('cron.job') is null then
  throws_ok('select oauth.schedule_sweep()', '0A000', null, 'as a feature that is not there')
else skip('pg_cron is here') end;
select case when to_regclass('cron.job') is null then
  is(oauth.unschedule_sweep(), false, 'unscheduling finds nothing to end')
else skip('pg_cron is here') end;
select case when to_regclass('realtime.messages') is null then
  throws_ok('select oauth.start_live_events()', '0A000', null, 'live events without Realtime are refused as well')
else skip('Realtime is here') end;
select case when to_regclass('realtime.messages') is null then
  lives_ok('select oauth.stop_live_events()', 'stopping them finds nothing to end')
else skip('Realtime is here') end;

select as_server();
select throws_ok('select oauth.schedule_sweep()', '42501', null, 'the server cannot schedule');
select throws_ok('select oauth.request_sweep(1000)', '42501', null, 'nor call the sweep through the database');
select throws_ok('select oauth.sweep_request()', '42501', null, 'nor read its key');

select * from finish();
rollback;
