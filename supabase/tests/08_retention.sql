-- How long history is kept: what repeats for 90 days, what was granted, lost or ended for two years; and nobody deletes
-- an event before its time.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(20);

insert into auth.users (id) values
  ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

set local role service_role;
select is(stored.status, 'active', 'the server connects ' || account_key)
from (values
  ('a0000000-0000-8000-8000-000000000001'::uuid, 'a11ce000-0000-4000-8000-000000000000'::uuid, '7:1'),
  ('b0000000-0000-8000-8000-000000000001', 'b0b00000-0000-4000-8000-000000000000', '9:1')
) as c (id, user_id, account_key)
cross join lateral public.oauth_connect(
  id, user_id, 'pipedrive', account_key, null, null, 'base',
  'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null
) stored;
select is(public.oauth_purge(1000), 0, 'nothing of it is old enough to go');

-- What each kind is worth

select is(
  oauth.kept_until(kind, code, '2026-01-01 00:00:00+00') - timestamptz '2026-01-01 00:00:00+00', kept,
  format('%s%s is kept for %s days', kind, ' (' || code || ')', extract(epoch from kept) / 86400)
)
from (values
  ('refreshed', null, interval '2160 hours'),
  ('refresh_failed', 'timeout', '2160 hours'),
  ('refreshed', 'scope_widened', '17520 hours'),
  ('connected', null, '17520 hours'),
  ('reauthorization_required', 'grant_refused', '17520 hours'),
  ('recovered', null, '17520 hours'),
  ('disconnected', null, '17520 hours'),
  ('uninstalled', null, '17520 hours')
) as e (kind, code, kept);

-- Time passes

reset role;
insert into oauth.events (connection_id, user_id, kind, version, created_at)
select 'a0000000-0000-8000-8000-000000000001', 'a11ce000-0000-4000-8000-000000000000', 'refreshed', version,
       now() - interval '2160 hours' - version * interval '1 hour'
  from generate_series(2, 6) version;
insert into oauth.events (connection_id, user_id, kind, version, created_at)
values ('a0000000-0000-8000-8000-000000000001', 'a11ce000-0000-4000-8000-000000000000', 'refreshed', 7,
        now() - interval '2159 hours');

set local role service_role;
select is(public.oauth_purge(3), 3, 'no more go at once than was asked for');
select results_eq(
  $$ select version from oauth.events where kind = 'refreshed' order by version $$,
  $$ values (2::bigint), (3), (7) $$,
  'the longest past goes first'
);
select is(public.oauth_purge(1000), 2, 'the next sweep takes the rest');
select results_eq(
  $$ select kind, version from oauth.events where connection_id = 'a0000000-0000-8000-8000-000000000001' order by version $$,
  $$ values ('connected', 1::bigint), ('refreshed', 7) $$,
  'and leaves what is not 90 days old'
);
select is(public.oauth_purge(0), 0, 'a sweep of nothing deletes nothing');
select is(public.oauth_purge(null), 0, 'nor does one without a number');

-- Nobody may help time along

select throws_ok(
  $$ delete from oauth.events where kind = 'refreshed' $$, '42501', null,
  'the server cannot delete an event before its time'
);
select throws_ok(
  $$ insert into oauth.events (connection_id, user_id, kind, version, created_at, kept_until)
     values ('a0000000-0000-8000-8000-000000000001', 'a11ce000-0000-4000-8000-000000000000', 'connected', 8, now(), now()) $$,
  '428C9', null, 'nor say itself how long one is kept'
);

-- What belongs to a user goes with the user

reset role;
delete from auth.users where id = 'a11ce000-0000-4000-8000-000000000000';
select results_eq(
  'select user_id from oauth.events',
  $$ values ('b0b00000-0000-4000-8000-000000000000'::uuid) $$,
  'a user who leaves takes all history along, whatever its age'
);

select * from finish();
rollback;
