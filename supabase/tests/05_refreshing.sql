-- How one refresh token is spent once, however many ask and whatever they bring back.
begin;
\ir helpers.psql
select plan(81);
select as_server();

-- A young token set

select is(connects(p_scope => 'base'), 1::bigint, 'Alice is connected');
select is(news(), '{connected 1}', 'which is recorded');
select results_eq(
  $$ select provider, status, version, busy_ms, access_expires_at, access_token_sealed
       from public.oauth_peek(hers(), alice(), -1) $$,
  $$ values ('pipedrive', 'active', 1::bigint, 0::bigint, (connection()).access_expires_at, 'v1.k1.iv.access-1') $$,
  'a peek brings the access token'
);
select ok(
  p.expires_in_ms between 3590000 and 3600000 and p.expires_in_ms - p.fresh_in_ms = 60000
    and p.expires_in_ms - p.refresh_in_ms between 240000 and 360000,
  'and how long it lives, is fresh, and may be left alone'
) from public.oauth_peek(hers(), alice(), -1) p;
select is(
  (select access_token_sealed from public.oauth_peek(hers(), null, 1)), null,
  'a peek brings no token that was seen already'
);
select is_empty('select public.oauth_peek(hers(), bob(), -1)', 'to another user there is no such connection');
select results_eq(
  $$ select id, access_token_sealed from public.oauth_peek(null, alice(), -1, 'pipedrive') $$,
  $$ values (hers(), 'v1.k1.iv.access-1') $$,
  'her only one is found without a name, and brings the access token'
);
select is(
  (select access_token_sealed from public.oauth_peek(null, alice(), 1, 'pipedrive')), null,
  'but none that was seen already'
);
select is(claims('early', 1), 'fresh 1', 'a token set that is young is not refreshed');
select is((answer('early')).tokens, 'v1.k1.iv.access-1', 'the claim brings its access token, and no refresh token');
select is((answer('early')).access_expires_at, (connection()).access_expires_at, 'and when it expires');
select is(
  claims('lost', 1, p_id => gen_random_uuid()), 'not_found 0', 'of an unknown connection there is nothing to claim'
);
select is((answer('lost')).access_expires_at, null, 'and nothing that expires');

-- A lease must outlast its request

select throws_ok(
  'select public.oauth_claim_refresh(hers(), 1, false, ''{k1}'', 20000, 21999, 30000)', '22023', null,
  'a lease that may end during the request is refused'
);
select throws_ok(
  format('select public.oauth_claim_refresh(hers(), 1, false, ''{k1}'', %s)', times), '22023', null, 'so are lease times of ' || times
) from unnest(array[
  'null, 25000, 30000', '20000, null, 30000', '20000, 25000, null', '0, 25000, 30000', '20000, 25000, -1',
  '2147483647, 2147483647, 0', '20000, 2147483647, 30000', '20000, 25000, 2147483647'
]) times;

-- One asks

select elapse('56 minutes');
create temporary table before on commit drop as select connection() as row;
select is(
  array(select claims('keyless', 1, p_key_ids => ids::text[]) from unnest(array['{k2,k3}', '{}', null]) keys (ids)),
  '{unreadable 1,unreadable 1,unreadable 1}', 'who does not have the key of the tokens does not get the lease'
);
select is((answer('keyless')).tokens, '', 'and no token');
select is(connection(), (select b.row from before b), 'and changes nothing');
select is(claims('first', 1, p_key_ids => '{k2,k1}'), 'claimed 1', 'in the soft window the first to ask gets the lease');
select is((answer('first')).tokens, 'v1.k1.iv.access-1 v1.k1.iv.refresh-1', 'and both tokens');
select is((connection()).unsettled_until, null, 'it takes it over from nobody');
select is(claims('second', 1), 'busy 1', 'the next finds it busy');
select is((answer('second')).tokens, '', 'and gets no token');
select is((answer('second')).lease_id, null, 'and no lease');
select ok((answer('second')).retry_in_ms between 20000 and 25000, 'but how long the lease lasts');
select ok(
  (select busy_ms between 20000 and 25000 from public.oauth_peek(hers(), null, 1)), 'which a peek tells as well'
);
select is(claims('forcing', 1, true), 'busy 1', 'force does not break a lease');
select is(claims('keyless', 1, p_key_ids => '{k2}'), 'busy 1', 'who has no key for them learns that it is busy');
select is((connection()).forced_until, null, 'nor does it cost of the allowance');
set local synchronous_commit = off;
select is(commits('first', 1, '2'), 'committed 2', 'the holder commits');
select is(current_setting('synchronous_commit'), 'on', 'and is not answered before the tokens are on disk');
select is(tokens(), 'v1.k1.iv.access-2 v1.k1.iv.refresh-2', 'the tokens are replaced, both');
select ok(is_unleased(), 'nothing of the lease remains');
select is(news(), '{refreshed 2}', 'one event tells of it');
select ok(
  (connection()).access_expires_at - (connection()).refreshed_at = interval '59:59.75' minute to second,
  'what the exchange took is off the lifetime'
);
select is(claims('second', 1), 'fresh 2', 'whoever waited finds the new version fresh');
select is((answer('second')).tokens, 'v1.k1.iv.access-2', 'and gets its access token');

-- A commit again, and a commit too late

select is(commits('first', 1, '2'), 'already_committed 2', 'a commit whose answer was lost may be repeated');
select is((connection()).version, 2::bigint, 'and raises the version once');
insert into answers values ('stranger', gen_random_uuid());
select is(commits('stranger', 1, 'x'), 'superseded 2', 'a second success of the same base comes too late');
select is(tokens(), 'v1.k1.iv.access-2 v1.k1.iv.refresh-2', 'and changes nothing');
select is(fails('first', 'permanent'), 'superseded', 'a failure after the success changes nothing either');
select is(news(), null, 'none of these is recorded');

-- A herd on a token that lives shorter than it takes to use it

select elapse('1 hour');
select is(claims('first', 2), 'claimed 2', 'an expired token is refreshed');
select is(commits('first', 2, '3', p_expires_in_ms => 0), 'committed 3', 'by one that has expired on arrival');
select is(claims('second', 2), 'fresh 3', 'a newer version counts as fresh without a look at its expiry');
select ok(p.expires_in_ms <= 0 and p.fresh_in_ms <= 0 and p.refresh_in_ms <= 0, 'though it is not')
  from public.oauth_peek(hers(), null, 2) p;
select is(claims('third', 3), 'claimed 3', 'who has seen that version refreshes it in turn');
select is(commits('third', 3, '4', p_expires_in_ms => 10000), 'committed 4', 'for a token of ten seconds');
select is((connection()).leeway, interval '1 s', 'whose leeway is a tenth of its life');
select ok(
  (connection()).access_expires_at - (connection()).refresh_after between interval '1.6 s' and interval '2.4 s',
  'and its soft window a fifth, more or less'
);
select elapse('1 minute');
select is(claims('first', 4), 'claimed 4', 'it is refreshed in turn');
select is(
  commits('first', 4, '5', p_expires_in_ms => 9223372036854775807), 'committed 5',
  'an absurd lifetime does not cost the token that came with it'
);
select is(connects('6', p_scope => 'base'), 6::bigint, 'Alice connects again, for an hour');
select is(news(), '{refreshed 3,refreshed 4,refreshed 5,connected 6}', 'all of which is recorded');

-- The user acts during a refresh

select elapse('1 hour');
select is(claims('first', 6), 'claimed 6', 'a refresh is under way');
select is(connects('7'), 7::bigint, 'meanwhile Alice connects again');
select is(commits('first', 6, 'x'), 'superseded 7', 'the refresh comes too late');
select is(fails('first', 'permanent', 'invalid_grant'), 'superseded', 'as would its failure');
select is(tokens(), 'v1.k1.iv.access-7 v1.k1.iv.refresh-7', 'the new tokens stay');
select elapse('1 hour');
select is(claims('second', 7), 'claimed 7', 'another refresh is under way');
select isnt(disconnects(), null, 'meanwhile Alice disconnects');
select is(commits('second', 7, 'x'), 'disconnected 8', 'what it brings is not stored');
select is(fails('second', 'transient'), 'superseded', 'nor its failure');
select is(tokens(), null, 'the tokens stay erased');
select is(claims('third', 8), 'disconnected 8', 'nobody asks any more');
select is((select access_token_sealed from public.oauth_peek(hers(), null, -1)), null, 'nor gets a token');
select is(
  commits('second', 1, 'x', p_id => gen_random_uuid()), 'disconnected',
  'for a connection that went with its user it is the same'
);

-- Scope

select is(connects('9', p_scope => 'base'), 9::bigint, 'Alice connects once more, for "base"');
select is(news(), '{connected 7,disconnected 8,connected 9}', 'which is recorded');
select is(
  array(
    select concat(claims('first', 8 + n, true), ', ', commits('first', 8 + n, n::text, scope))
      from unnest(array['base contacts:read', null, 'contacts:read  base', 'contacts:read', '']) with ordinality s (scope, n)
  ),
  array(select format('claimed %s, committed %s', n, n + 1) from generate_series(9, 13) n),
  'refreshes bring more scope, say nothing of it, bring the same, less, and none'
);
select is(
  news(),
  '{refreshed 10 scope_widened,refreshed 11,refreshed 12,refreshed 13 scope_narrowed,refreshed 14 scope_narrowed}',
  'what changed is told by an event'
);
select is(
  array(select scope::text from oauth.events where code like 'scope%' order by id),
  '{"{base,contacts:read}","{contacts:read}","{}"}', 'with the scope there is now'
);
select is((connection()).scope, '{}', 'which the connection has, too');

select * from finish();
rollback;
