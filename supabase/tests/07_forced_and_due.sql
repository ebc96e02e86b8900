-- A refresh before its time: forced, because the API refused the token, or due, because the sweeper finds it neglected
-- or unfinished; and the seals that the sweeper renews.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(40);

insert into auth.users (id) values ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

set local role service_role;

create function pg_temp.alice() returns uuid language sql as $$ select 'a11ce000-0000-4000-8000-000000000000'::uuid $$;
create function pg_temp.id() returns uuid language sql as $$ select 'a0000000-0000-8000-8000-000000000001'::uuid $$;

create function pg_temp.connect(
  p_token text default '1', p_id uuid default pg_temp.id(), p_account_key text default '7:1',
  p_expires_in_ms bigint default 3600000
) returns bigint language sql as $$
  select public.oauth_connect(
    p_id, pg_temp.alice(), 'pipedrive', p_account_key, null, null, 'base',
    'v1.k1.iv.access-' || p_token, 'v1.k1.iv.refresh-' || p_token, 'k1', p_expires_in_ms, 0, null
  );
  select version from oauth.connections where id = p_id
$$;
create function pg_temp.row() returns oauth.connections language sql as $$
  select c from oauth.connections c where c.id = pg_temp.id()
$$;
-- Lets this much time pass for the connection.
create function pg_temp.pass(p_time interval, p_id uuid default pg_temp.id()) returns void language sql as $$
  update oauth.connections
     set access_expires_at = access_expires_at - p_time, refresh_after = refresh_after - p_time,
         lease_until = lease_until - p_time, unsettled_until = unsettled_until - p_time,
         next_attempt_at = next_attempt_at - p_time, forced_until = forced_until - p_time,
         refreshed_at = refreshed_at - p_time, connected_at = connected_at - p_time
   where id = p_id
$$;
-- What the callers were answered, by their names.
create temp table leases (holder text primary key, lease_id uuid, retry_in_ms bigint, tokens text);

create function pg_temp.claim(p_holder text, p_seen bigint, p_force boolean default false) returns text
language plpgsql as $$
declare
  v_claim record;
begin
  select * into strict v_claim from public.oauth_claim_refresh(pg_temp.id(), p_seen, p_force, 20000, 25000, 30000);
  insert into leases values (
    p_holder, v_claim.lease_id, v_claim.retry_in_ms,
    concat_ws(' ', v_claim.access_token_sealed, v_claim.refresh_token_sealed)
  )
  on conflict (holder) do update
     set (lease_id, retry_in_ms, tokens) =
         row (excluded.lease_id, excluded.retry_in_ms, excluded.tokens);
  return v_claim.outcome || ' ' || v_claim.version;
end;
$$;
create function pg_temp.of(p_holder text) returns leases language sql as $$
  select l from leases l where holder = p_holder
$$;
create function pg_temp.commit(
  p_holder text, p_base bigint, p_token text, p_scope text default null, p_expires_in_ms bigint default 3600000
) returns text language plpgsql as $$
declare
  v_outcome text;
begin
  select outcome into v_outcome from public.oauth_commit_refresh(
    pg_temp.id(), (pg_temp.of(p_holder)).lease_id, p_base, 'v1.k1.iv.access-' || p_token, 'v1.k1.iv.refresh-' || p_token,
    'k1', p_scope, p_expires_in_ms, 250
  );
  return v_outcome || ' ' || (pg_temp.row()).version;
end;
$$;
create function pg_temp.fail(p_holder text, p_class text, p_code text default 'code', p_wait_ms bigint default 0)
returns text language sql as $$
  select outcome from public.oauth_fail_refresh(
    pg_temp.id(), (pg_temp.of(p_holder)).lease_id, p_class, p_wait_ms, p_code
  )
$$;
-- What happened since this was last asked.
create temp table told (id bigint);
insert into told values (0);
create function pg_temp.events() returns text[] language sql as $$
  with news as (select * from oauth.events e where e.connection_id = pg_temp.id() and e.id > (select id from told)),
  seen as (update told set id = greatest(id, (select max(id) from news)))
  select array_agg(concat_ws(' ', kind, version, code) order by id) from news
$$;

select is(pg_temp.connect(), 1::bigint, 'Alice is connected');
select is(pg_temp.connect('2'), 2::bigint, 'and connects again');
select isnt(pg_temp.events(), null, 'which is recorded');

-- Forced, because the API refused the token

select is(pg_temp.claim('stale', 1, true), 'fresh 2', 'who was refused with an older version gets the newer one');
select is(pg_temp.claim('ahead', 99, true), 'fresh 2', 'so does who claims to have seen one that never was');
select is((pg_temp.row()).forced_until, null, 'neither costs anything of the allowance');
select is(pg_temp.claim('current', 2, true), 'claimed 2', 'who was refused with the current one may force its refresh');
select ok(
  (pg_temp.row()).forced_until between clock_timestamp() + interval '50 s' and clock_timestamp() + interval '60 s',
  'that costs one of the allowance'
);
select is(pg_temp.commit('current', 2, '3'), 'committed 3', 'and succeeds');
select is(
  array(
    select pg_temp.claim('again', n, true) || ', ' || pg_temp.commit('again', n, (n + 1)::text)
      from generate_series(3, 11) n order by n
  ),
  array(select format('claimed %s, committed %s', n, n + 1) from generate_series(3, 11) n),
  'ten may be forced at once'
);
select is(pg_temp.claim('eleventh', 12, true), 'fresh 12', 'the eleventh is not: it gets the token it has seen');
select is((pg_temp.of('eleventh')).tokens, 'v1.k1.iv.access-12', 'which is the current one');
select pg_temp.pass('61 s');
select is(pg_temp.claim('eleventh', 12, true), 'claimed 12', 'a minute later one more may');
select is(pg_temp.fail('eleventh', 'transient'), 'retry', 'it fails');
select pg_temp.pass('1 s');
select is(pg_temp.claim('twelfth', 12, true), 'fresh 12', 'and was the one of that minute');
select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 12, true), 'claimed 12', 'a token set that is due anyway');
select ok((pg_temp.row()).forced_until < clock_timestamp(), 'costs nothing of the allowance');
select is(pg_temp.commit('first', 12, '13'), 'committed 13', 'and is refreshed');
select is(array_length(pg_temp.events(), 1), 12, 'every one of these refreshes was recorded once, and the failure');

-- Due, for the sweeper to find

create function pg_temp.nth(n integer) returns uuid language sql as $$
  select ('d000000' || n || '-0000-8000-8000-000000000000')::uuid
$$;
create function pg_temp.due(p_limit integer default 10, p_provider text default 'pipedrive') returns text[]
language sql as $$
  select coalesce(array_agg(concat_ws(' ', left(id::text, 8), outcome, version, refresh_token_sealed) order by id), '{}')
    from public.oauth_claim_due(p_provider, p_limit, 2592000000, 20000, 25000, 30000)
$$;

select is(
  array(select pg_temp.connect('1', pg_temp.nth(n), 'account ' || n) from generate_series(1, 9) n),
  array_fill(1::bigint, array[9]), 'nine more connections are made'
);
select pg_temp.pass('29 days', pg_temp.nth(1));
select is(pg_temp.due(), '{}', 'one that has merely expired is not due');
select pg_temp.pass('1 day', pg_temp.nth(1));
select is(pg_temp.due(p_provider => 'other'), '{}', 'what is due is due at its own provider');
select is(
  pg_temp.due(), '{d0000001 claimed 1 v1.k1.iv.refresh-1}', 'after thirty days without a refresh it is: with its lease and tokens'
);
select is(pg_temp.due(), '{}', 'a lease that lasts is not broken');
select pg_temp.pass('26 s', pg_temp.nth(1));
select is(
  array(select outcome from public.oauth_claim_due('pipedrive', 10, 2592000000, 20000, 25000, 30000)), '{claimed}',
  'one that has run out is unfinished business'
);
update oauth.connections set attempts = 1 where id = pg_temp.nth(2);
update oauth.connections set attempts = 1, next_attempt_at = now() + interval '1 minute' where id = pg_temp.nth(3);
update oauth.connections set unsettled_until = now() - interval '1 minute' where id = pg_temp.nth(4);
update oauth.connections set attempts = 1, status = 'reauthorization_required' where id = pg_temp.nth(5);
update oauth.connections set attempts = 1, forced_until = now() + interval '10 minutes' where id = pg_temp.nth(6);
select is(
  pg_temp.due(), '{d0000002 claimed 1 v1.k1.iv.refresh-1,d0000004 claimed 1 v1.k1.iv.refresh-1}',
  'so is what failed and is past its back-off, or unsettled; not what must wait, needs its user, or has been forced too often'
);
update oauth.connections
   set lease_id = null, lease_until = null, attempts = 0, unsettled_until = null, next_attempt_at = null, forced_until = null;
select pg_temp.pass(n * interval '10 days', pg_temp.nth(n)) from generate_series(2, 9) n where n <> 5;
select is(
  pg_temp.due(2), '{d0000008 claimed 1 v1.k1.iv.refresh-1,d0000009 claimed 1 v1.k1.iv.refresh-1}',
  'no more come than were asked for, the longest idle first'
);
select is(array_length(pg_temp.due(), 1), 5, 'the rest follow');
select is(pg_temp.due(), '{}', 'until nothing is due');
select throws_ok($$ select pg_temp.due(-1) $$, '2201W', null, 'less than none is refused');
select is(pg_temp.due(null), '{}', 'no limit is none');
select throws_ok(
  $$ select public.oauth_claim_due('pipedrive', 1, 99999999999999999, 20000, 25000, 30000) $$, '22008', null,
  'a time beyond all times is refused'
);

-- Resealing under a new key

select results_eq(
  $$ select id, version, key_id, refresh_token_sealed from public.oauth_sealed_under_other_keys('pipedrive', 'k2', 99)
      where id = pg_temp.id() $$,
  $$ values (pg_temp.id(), 13::bigint, 'k1', 'v1.k1.iv.refresh-13') $$,
  'what is sealed under another key is found'
);
select is(
  (select count(*) from public.oauth_sealed_under_other_keys('pipedrive', 'k2', 3)), 3::bigint, 'so many at a time'
);
select is_empty($$ select public.oauth_sealed_under_other_keys('pipedrive', 'k1', 10) $$, 'what is sealed under this is not');
select is_empty($$ select public.oauth_sealed_under_other_keys('other', 'k2', 10) $$, 'nor is another provider''s');
select is(
  public.oauth_reseal(pg_temp.id(), 12, 'k1', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), false,
  'a seal of an earlier version is not put over a newer one'
);
select is(
  public.oauth_reseal(pg_temp.id(), 13, 'k0', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), false,
  'nor over one of another key than was found'
);
select is(
  public.oauth_reseal(pg_temp.id(), 13, 'k1', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), true,
  'the seal that was found is replaced'
);
select is((pg_temp.row()).version, 13::bigint, 'the tokens are the same, so the version is');

select * from finish();
rollback;
