-- A refresh before its time: forced, because the API refused the token, or due, because the sweeper finds it neglected
-- or unfinished; and the seals that the sweeper renews.
begin;
\ir helpers.psql
select plan(41);

-- What the sweeper finds.
create function due(p_limit integer default 10, p_provider text default 'pipedrive') returns text[] language sql as $$
  select coalesce(array_agg(concat_ws(' ', c.account_key, outcome, d.version, refresh_token_sealed) order by c.account_key), '{}')
    from public.oauth_claim_due(p_provider, p_limit, 2592000000, '{k1}', 20000, 25000, 30000) d
    join oauth.connections c on c.id = d.id and c.access_expires_at = d.access_expires_at
$$;

select as_server();

select is(connects(), 1::bigint, 'Alice is connected');
select is(connects('2'), 2::bigint, 'and connects again');
select is(news(), '{connected 1,connected 2}', 'which is recorded');

-- Forced, because the API refused the token

select is(claims('stale', 1, true), 'fresh 2', 'who was refused with an older version gets the newer one');
select is(claims('ahead', 99, true), 'fresh 2', 'so does who claims to have seen one that never was');
select is(claims('hasty', 2, true), 'fresh 2', 'who was refused with one that is young gets that one again');
select is((connection()).forced_until, null, 'none of these costs anything of the allowance');
select matures();
select is(claims('current', 2, true), 'claimed 2', 'who was refused with the current one may force its refresh');
select ok(
  (connection()).forced_until between clock_timestamp() + interval '50 s' and clock_timestamp() + interval '60 s',
  'that costs one of the allowance'
);
select is(commits('current', 2, '3'), 'committed 3', 'and succeeds');
select is(
  array(
    select concat(matures(), claims('again', n, true), ', ', commits('again', n, (n + 1)::text))
      from generate_series(3, 11) n order by n
  ),
  array(select format('claimed %s, committed %s', n, n + 1) from generate_series(3, 11) n),
  'ten may be forced at once'
);
select matures();
select is(claims('eleventh', 12, true), 'fresh 12', 'the eleventh is not: it gets the token it has seen');
select is((answer('eleventh')).tokens, 'v1.k1.iv.access-12', 'which is the current one');
select elapse('61 s');
select is(claims('eleventh', 12, true), 'claimed 12', 'a minute later one more may');
select is(fails('eleventh', 'transient'), 'retry', 'it fails');
select elapse('1 s');
select is(claims('twelfth', 12, true), 'fresh 12', 'and was the one of that minute');
select elapse('1 hour');
select is(claims('first', 12, true), 'claimed 12', 'a token set that is due anyway');
select ok((connection()).forced_until < clock_timestamp(), 'costs nothing of the allowance');
select is(commits('first', 12, '13'), 'committed 13', 'and is refreshed');
select is(array_length(news(), 1), 12, 'every one of these refreshes was recorded once, and the failure');

-- Due, for the sweeper to find

select is(
  array(select connects('1', named(n::text), p_account_key => 'account ' || n) from generate_series(1, 9) n),
  array_fill(1::bigint, array[9]), 'nine more connections are made'
);
select matures(named(n::text)) from generate_series(1, 9) n;
select elapse('29 days', named('1'));
select is(due(), '{}', 'one that has merely expired is not due');
select elapse('1 day', named('1'));
select is(due(p_provider => 'other'), '{}', 'what is due is due at its own provider');
select is(
  due(), '{account 1 claimed 1 v1.k1.iv.refresh-1}',
  'after thirty days without a refresh it is: with its lease and tokens'
);
select is(due(), '{}', 'a lease that lasts is not broken');
select elapse('26 s', named('1'));
select is(due(), '{account 1 claimed 1 v1.k1.iv.refresh-1}', 'one that has run out is unfinished business');
update oauth.connections set attempts = 1 where id = named('2');
update oauth.connections set attempts = 1, next_attempt_at = now() + interval '1 minute' where id = named('3');
update oauth.connections set unsettled_until = now() - interval '1 minute' where id = named('4');
update oauth.connections set attempts = 1, status = 'reauthorization_required' where id = named('5');
update oauth.connections set attempts = 1, forced_until = now() + interval '10 minutes' where id = named('6');
select is(
  due(), '{account 2 claimed 1 v1.k1.iv.refresh-1,account 4 claimed 1 v1.k1.iv.refresh-1}',
  'so is what failed and is past its back-off, or unsettled; not what must wait, needs its user, or has been forced too often'
);
update oauth.connections
   set lease_id = null, lease_until = null, attempts = 0, unsettled_until = null, next_attempt_at = null, forced_until = null;
select elapse(n * interval '10 days', named(n::text)) from generate_series(2, 9) n where n <> 5;
select is(
  due(2), '{account 8 claimed 1 v1.k1.iv.refresh-1,account 9 claimed 1 v1.k1.iv.refresh-1}',
  'no more come than were asked for, the longest idle first'
);
select is(array_length(due(), 1), 5, 'the rest follow');
select is(due(), '{}', 'until nothing is due');
select throws_ok('select due(-1)', '2201W', null, 'less than none is refused');
select is(due(null), '{}', 'no limit is none');
select throws_ok(
  $$ select public.oauth_claim_due('pipedrive', 1, 99999999999999999, '{k1}', 20000, 25000, 30000) $$, '22008', null,
  'a time beyond all times is refused'
);

-- Resealing under a new key

select results_eq(
  $$ select id, version, key_id, refresh_token_sealed from public.oauth_sealed_under_other_keys('pipedrive', 'k2', 99)
      where id = hers() $$,
  $$ values (hers(), 13::bigint, 'k1', 'v1.k1.iv.refresh-13') $$,
  'what is sealed under another key is found'
);
select is(
  (select count(*) from public.oauth_sealed_under_other_keys('pipedrive', 'k2', 3)), 3::bigint, 'so many at a time'
);
select is_empty($$ select public.oauth_sealed_under_other_keys('pipedrive', 'k1', 10) $$, 'what is sealed under this is not');
select is_empty($$ select public.oauth_sealed_under_other_keys('other', 'k2', 10) $$, 'nor is another provider''s');
select is(
  public.oauth_reseal(hers(), 12, 'k1', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), false,
  'a seal of an earlier version is not put over a newer one'
);
select is(
  public.oauth_reseal(hers(), 13, 'k0', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), false,
  'nor over one of another key than was found'
);
select is(
  public.oauth_reseal(hers(), 13, 'k1', 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2'), true,
  'the seal that was found is replaced'
);
select is((connection()).version, 13::bigint, 'the tokens are the same, so the version is');

select * from finish();
rollback;
