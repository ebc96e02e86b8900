-- A refresh before its time: forced, because the API refused the token, or due, because the sweeper finds it neglected
-- or unfinished; and the seals that the sweeper renews, or finds that it cannot.
begin;
\ir helpers.psql
select plan(68);

-- What the sweeper finds: idle, or with a failed or unfinished attempt.
create function due(
  p_limit integer default 10, p_provider text default 'pipedrive', p_failed boolean default false,
  p_key_ids text[] default '{k2,k1}'
) returns text[] language sql as $$
  select coalesce(array_agg(concat_ws(' ', c.account_key, outcome, d.version, refresh_token_sealed) order by c.account_key), '{}')
    from public.oauth_claim_due(p_provider, p_limit, p_failed, 2592000000, p_key_ids, 20000, 25000, 30000) d
    join oauth.connections c on c.id = d.id and c.access_expires_at = d.access_expires_at
$$;
create function failed(p_limit integer default 10, p_key_ids text[] default '{k2,k1}') returns text[] language sql as $$
  select due(p_limit, p_failed => true, p_key_ids => p_key_ids)
$$;
create function reseals(p_id uuid, p_sealed text) returns boolean language sql as $$
  select public.oauth_reseal(p_id, p_sealed, 'v1.k2.iv.access', 'v1.k2.iv.refresh', 'k2')
$$;
-- What the sweeper tries to open, and what it could not.
create function keys_in_use() returns text[] language sql as $$
  select array_agg(distinct concat_ws(' ', key_id, marked) order by concat_ws(' ', key_id, marked))
    from public.oauth_keys_in_use(2)
$$;
create function marks(p_key_ids text[], p_ids uuid[] default '{}', p_seals text[] default '{}', p_provider text default 'pipedrive')
returns text[] language sql as $$
  select array_agg(concat_ws(' ', key_id, unreadable)) from public.oauth_mark_unreadable(p_provider, p_key_ids, p_ids, p_seals)
$$;

select as_server();

select is(connects(), 1::bigint, 'Alice is connected');
select is(connects('2'), 2::bigint, 'and connects again');
select is(news(), '{connected 1,connected 2}', 'which is recorded');

-- Forced, because the API refused the token

select is(claims('stale', 1, true), 'fresh 2', 'who was refused with an older version gets the newer one');
select is(claims('ahead', 99, true), 'fresh 2', 'so does who claims to have seen one that never was');
select is((connection()).forced_until, null, 'none of these costs anything of the allowance');
select is(claims('current', 2, true), 'claimed 2', 'who was refused with the current one may force its refresh');
select ok(
  (connection()).forced_until between clock_timestamp() + interval '50 s' and clock_timestamp() + interval '60 s',
  'that costs one of the allowance'
);
select is(commits('current', 2, '3'), 'committed 3', 'and succeeds');
select is(
  array(
    select concat(claims('again', n, true), ', ', commits('again', n, (n + 1)::text))
      from generate_series(3, 11) n order by n
  ),
  array(select format('claimed %s, committed %s', n, n + 1) from generate_series(3, 11) n),
  'ten may be forced at once'
);
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
select elapse('29 days', named('1'));
select is(due(), '{}', 'one that has merely expired is not due');
select elapse('1 day', named('1'));
select is(due(p_provider => 'other'), '{}', 'what is due is due at its own provider');
select is(due(p_key_ids => '{k2}'), '{}', 'nor to somebody who lacks the key that opens it');
select is(
  due(), '{account 1 claimed 1 v1.k1.iv.refresh-1}',
  'after thirty days without a refresh it is: with its lease and tokens'
);
select is(due() || failed(), '{}', 'a lease that lasts is not broken');
select elapse('26 s', named('1'));
select is(due(), '{}', 'one that has run out is nothing that merely idled');
select is(failed(p_key_ids => '{k2}'), '{}', 'nor is it due to somebody who lacks the key');
select is(failed(), '{account 1 claimed 1 v1.k1.iv.refresh-1}', 'it is unfinished business');
update oauth.connections set attempts = 1 where id = named('2');
update oauth.connections set attempts = 1, next_attempt_at = now() + interval '1 minute' where id = named('3');
update oauth.connections set unsettled_until = now() - interval '1 minute' where id = named('4');
update oauth.connections set attempts = 1, status = 'reauthorization_required' where id = named('5');
update oauth.connections set attempts = 1, forced_until = now() + interval '10 minutes' where id = named('6');
select is(
  failed(), '{account 2 claimed 1 v1.k1.iv.refresh-1,account 4 claimed 1 v1.k1.iv.refresh-1}',
  'so is what failed and is past its back-off, or unsettled; not what must wait, needs its user, or has been forced too often'
);
update oauth.connections
   set lease_id = null, lease_until = null, attempts = 0, unsettled_until = null, next_attempt_at = null, forced_until = null;
select elapse(n * interval '10 days', named(n::text)) from generate_series(2, 9) n where n <> 5;
select is(
  due(2), '{account 8 claimed 1 v1.k1.iv.refresh-1,account 9 claimed 1 v1.k1.iv.refresh-1}',
  'no more come than were asked for, the longest idle first'
);
update oauth.connections set attempts = 1 where id in (named('6'), named('7'));
select is(array_length(due(), 1), 3, 'the rest follow, but for what failed meanwhile');
select is(due(), '{}', 'until nothing is due');
update oauth.connections set claimed_at = now() - interval '1 day' where id = named('6');
select is(failed(1), '{account 7 claimed 1 v1.k1.iv.refresh-1}', 'of what failed the longest untried comes first');
update oauth.connections set lease_id = null, lease_until = null where id in (named('6'), named('7'));
select is(failed(1), '{account 6 claimed 1 v1.k1.iv.refresh-1}', 'and what has been tried goes to the back');
select is(failed(1), '{account 7 claimed 1 v1.k1.iv.refresh-1}', 'from where it comes again');
update oauth.connections set lease_until = now() + interval '1 hour' where id = named('6');
update oauth.connections set lease_id = null, lease_until = null, next_attempt_at = now() + interval '2 days' where id = named('7');
select is(
  failed(), '{account 6 busy 1,account 7 claimed 1 v1.k1.iv.refresh-1}',
  'a lease or a back-off that was given before the clock was set back is not believed'
);
select elapse('26 s', named('6'));
select is(failed(), '{account 6 claimed 1 v1.k1.iv.refresh-1}', 'and the lease ends no later than any');
select throws_ok('select due(-1)', '2201W', null, 'less than none is refused');
select is(due(null), '{}', 'no limit is none');
select throws_ok(
  $$ select public.oauth_claim_due('pipedrive', 1, false, 99999999999999999, '{k1}', 20000, 25000, 30000) $$, '22008', null,
  'a time beyond all times is refused'
);

-- Resealing under a new key

select results_eq(
  $$ select id, refresh_token_sealed from public.oauth_sealed_under_other_keys('pipedrive', '{k0,k1}', 99) where id = hers() $$,
  $$ values (hers(), 'v1.k1.iv.refresh-13') $$,
  'what is sealed under one of the keys that are named is found'
);
select is(
  (select count(*) from public.oauth_sealed_under_other_keys('pipedrive', '{k1}', 3)), 3::bigint, 'so many at a time'
);
select is_empty(
  $$ select public.oauth_sealed_under_other_keys('pipedrive', '{k2}', 10) $$, 'what is sealed under another is not'
);
select is_empty($$ select public.oauth_sealed_under_other_keys('other', '{k1}', 10) $$, 'nor is another provider''s');
select is(reseals(hers(), 'v1.k1.iv.refresh-12'), false, 'a seal is not put over a newer one');
select is(reseals(named('1'), 'v1.k1.iv.refresh-13'), false, 'nor over another connection''s');
select is(reseals(hers(), 'v1.k1.iv.refresh-13'), true, 'the seal that was found is replaced');
select is((connection()).version, 13::bigint, 'the tokens are the same, so the version is');

-- What does not open

select is(keys_in_use(), '{k1 f,k2 f}', 'each key id in use is found');
select results_eq(
  $$ select key_id, provider, count(*), count(distinct id), min(refresh_token_sealed)
       from public.oauth_keys_in_use(2) group by 1, 2 order by 1 $$,
  $$ values ('k1', 'pipedrive', 2::bigint, 2::bigint, 'v1.k1.iv.refresh-1'), ('k2', 'pipedrive', 1, 1, 'v1.k2.iv.refresh') $$,
  'with so many seals to try'
);
select is(marks('{k2}'), '{k2 1}', 'a key id under which nothing opens is kept, and how much lies under it told');
select is(keys_in_use(), '{k1 f,k2 t}', 'so the next sweep looks again');
select is(
  (select array_agg(account_key || ' ' || health order by account_key) from oauth.connections c
     join oauth.connection_health h using (id) where unreadable_key_id = 'k2'),
  '{7:1 unreadable}', 'and health says who lies under it'
);
select is(marks('{}'), null, 'once it opens, nothing of it is left');
select is(marks('{}', array[named('1')], '{v1.k1.iv.refresh-0}'), null, 'a seal that is no longer there is not marked');
select is(
  marks('{}', array[named('1'), named('2')], '{v1.k1.iv.refresh-1,v1.k1.iv.refresh-1}'), '{k1 2}',
  'single ones that do not open are'
);
select is(marks('{}', p_provider => 'other'), null, 'they count at their own provider');
select is(
  (select array_agg(distinct account_key) from oauth.connections c
     join public.oauth_sealed_under_other_keys('pipedrive', '{k1}', 7) s using (id)),
  (select array_agg(account_key) from (select 'account ' || n as account_key from generate_series(3, 9) n) rest),
  'they take no place of what may be resealed'
);
select is(
  (select format('%s %s %s', unreadable, unreadable_key_ids, healthy + degraded + refreshing + expiring + unreadable = active)
     from oauth.provider_health where provider = 'pipedrive'),
  '2 {k1} t', 'a provider''s health counts them, and only there'
);
select is(connects('2', named('1'), p_account_key => 'account 1'), 2::bigint, 'whoever connects again');
select is(reseals(named('2'), 'v1.k1.iv.refresh-1'), true, 'and what can be resealed');
select is(marks('{}'), null, 'is readable');

-- What is left to be revoked lies under a key as well

select is(disconnects(named('3')), 'disconnected', 'a connection is ended');
update oauth.token_sets set access_token_sealed = 'v1.k2.iv.access', refresh_token_sealed = 'v1.k2.iv.refresh', key_id = 'k2';
select is(keys_in_use(), '{k1 f,k2 f}', 'the key of what is to be revoked is in use');
select is(marks('{k1}'), '{k1 1}', 'and told where it does not open');
select results_eq(
  $$ select id, access_token_sealed, refresh_token_sealed from public.oauth_sealed_under_other_keys('pipedrive', '{k1}', 99) $$,
  $$ values (named('3'), null::text, 'v1.k1.iv.refresh-1') $$, 'it is found to be resealed'
);
select is(
  public.oauth_reseal(named('3'), 'v1.k1.iv.refresh-1', null, 'v1.k2.iv.refresh', 'k2'), true, 'is resealed'
);
select is(keys_in_use(), '{k2 f}', 'and leaves the old key unused');

select * from finish();
rollback;
