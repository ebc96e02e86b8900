-- Connecting, connecting again, and the three ends of a connection: by its owner, by the provider, with its user.
begin;
\ir helpers.psql
select plan(83);
select as_server();

-- Connecting

select is(connects('first'), 1::bigint, 'a new connection begins with version 1');
select is((connection()).status, 'active', 'it is active');
select is(tokens(), 'v1.k1.iv.access-first v1.k1.iv.refresh-first', 'its tokens are stored as they came');
select ok(
  (connection()).access_expires_at - clock_timestamp() between interval '59:50' minute to second
    and interval '59:59' minute to second,
  'it expires after the lifetime given less what the exchange took'
);
select is((connection()).leeway, interval '1 minute', 'the leeway of an hour is a minute');
select ok(
  (connection()).access_expires_at - (connection()).refresh_after between interval '4 minutes' and interval '6 minutes',
  'its soft window is five minutes, a fifth more or less'
);
select is(history(), '{connected 1}', 'an event tells of it');
select results_eq(
  'select id, provider, status, account, scope from public.oauth_connection(hers(), alice())',
  $$ values (hers(), 'pipedrive', 'active',
     '{"id": "7:1", "name": "Acme", "email": "jane@acme.example"}'::jsonb, '{base,contacts:read}'::text[]) $$,
  'its owner may have it shown'
);
select is_empty('select public.oauth_connection(hers(), bob())', 'to another user there is no such connection');
select isnt_empty('select public.oauth_connection(hers(), null)', 'a caller with the secret key names no user');
select results_eq(
  $$ select id, provider, status, account, scope, created_at < updated_at, access_expires_at > updated_at
       from public.oauth_connect(named('plain'), alice(), 'pipedrive', '5:5', null, null, 'base',
         'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null) $$,
  $$ values (named('plain'), 'pipedrive', 'active', '{"id": "5:5"}'::jsonb, '{base}'::text[], true, true) $$,
  'connecting answers with the connection as its owner sees it, without a name or address that is not known'
);

-- One account is one row, per user

select is(connects('his', his(), bob()), 1::bigint, 'another user may connect the same account');
select is((connection()).version, 1::bigint, 'and changes nothing of the first one''s connection');
select throws_ok(
  $$ select connects(p_user_id => bob()) $$, '23505', null, 'nobody connects over another user''s row, id or no id'
);
select throws_ok($$ select connects(p_account_key => '8:1') $$, '23505', null, 'nor another account over this one');
select throws_ok(
  $$ select connects(p_id => gen_random_uuid()) $$, '23505', null, 'nor the same account under a second id'
);
select is(tokens(), 'v1.k1.iv.access-first v1.k1.iv.refresh-first', 'none of these touched a token');
select throws_ok(
  $$ select public.oauth_connect(
       hers(), alice(), 'pipedrive', '7:1', null, null, 'base', 'plain', 'text', 'k1', 3600000, 0, null
     ) $$,
  '23514', null, 'a token that is not sealed is not stored'
);
select throws_ok(
  $$ select public.oauth_connect(
       hers(), alice(), 'pipedrive', '7:1', null, null, 'base', 'v1.k1.iv.x', 'v1.k2.iv.x', 'k1', 3600000, 0, null
     ) $$,
  '23514', null, 'nor one sealed under another key than the row will say'
);
select throws_ok(
  $$ select connects('x', gen_random_uuid(), gen_random_uuid(), '1:1') $$, '23503', null,
  'a user who does not exist connects nothing'
);

-- Connecting again, with a refresh under way that has failed before

update oauth.connections
   set lease_id = gen_random_uuid(), lease_until = now() + interval '20 s', attempts = 2, failure_code = 'server_error',
       unsettled_until = now(), next_attempt_at = now() + interval '1 s', exchanged_at = now() - interval '1 day',
       committed_lease_id = gen_random_uuid()
 where id = hers();
select is(connects('again'), 2::bigint, 'connecting again adds one to version');
select is(tokens(), 'v1.k1.iv.access-again v1.k1.iv.refresh-again', 'and replaces the tokens');
select ok(
  is_unleased() and (connection()).failure_code is null and (connection()).committed_lease_id is null,
  'nothing of the refresh remains'
);
select ok((connection()).exchanged_at > now() - interval '1 hour', 'it counts as connected just now');
select is(history(), '{connected 1,connected 2}', 'an event tells of it, too');

-- Disconnecting

select is(disconnects(p_user_id => bob()), null, 'nobody disconnects another user''s connection');
select is(disconnects(p_user_id => null), null, 'nor does nobody');
select is(disconnects(p_provider => 'other'), null, 'nor its owner by another provider''s path');
select is((connection()).status, 'active', 'it stays active');
select is(disconnects(), 'disconnected', 'its owner does');
select is(pending(), 'v1.k1.iv.refresh-again', 'and the refresh token is left to be revoked');
select is((connection()).status, 'disconnected', 'it is disconnected');
select is((connection()).version, 3::bigint, 'disconnecting adds one to version');
select is(tokens(), null, 'the tokens are gone');
select is((connection()).access_expires_at, null, 'nothing is left that could expire');
select results_eq(
  $$ select * from public.oauth_disconnect(hers(), alice(), 'pipedrive') $$,
  $$ select * from public.oauth_connections where id = hers() $$,
  'disconnecting again is no error, and answers with the connection as its owner sees it'
);
select is(history(), '{connected 1,connected 2,disconnected 3}', 'it is recorded once');
select is_empty(
  $$ select from public.oauth_peek(null, alice(), -1, 'pipedrive') where id = hers() $$,
  'a disconnected one is not among a user''s'
);
select is(connects('third'), 4::bigint, 'connecting once more takes up the same row');
select is((connection()).status, 'active', 'and makes it active');

-- A user's connections, oldest first

select is(
  disconnects(named('plain')), 'disconnected', 'Alice disconnects the account that she does not need'
);
select is(
  connects('1', named('second'), p_account_key => '8:1'), 1::bigint, 'and connects a second one that she does'
);
update oauth.connections set status = 'reauthorization_required' where account_key = '8:1';
select results_eq(
  $$ select id, status, access_token_sealed from public.oauth_peek(null, alice(), -1, 'pipedrive') $$,
  $$ values (hers(), 'active', null), (named('second'), 'reauthorization_required', null) $$,
  'her connections are told apart by id and status, oldest first, and bring no token'
);
select is_empty($$ select public.oauth_peek(null, alice(), -1, 'other') $$, 'at another provider she has none');
select is_empty($$ select public.oauth_peek(hers(), alice(), -1, 'other') $$, 'nor has it the one that she names');
select is_empty($$ select public.oauth_peek(null, null, -1, 'pipedrive') $$, 'whoever names nobody finds none');

-- Uninstalling, as the provider tells

select is(
  public.oauth_uninstall('pipedrive', '7:1', now() - interval '1 day'), 0,
  'a notice from before the connection was made changes nothing'
);
select is(
  public.oauth_uninstall('pipedrive', '7:1', (connection()).exchanged_at), 1,
  'a notice erases what was connected before it, not what was connected at its very moment'
);
select is((connection()).status, 'active', 'Alice connected again after it: hers stays');
select is((connection(his())).status, 'disconnected', 'Bob connected before it: his ends');
select is(tokens(his()), null, 'his tokens are gone');
select is(history(his()), '{connected 1,uninstalled 2}', 'an event says why');
select is(
  public.oauth_uninstall('pipedrive', '7:1', now() + interval '1 minute'), 1, 'a later notice ends hers, and only hers'
);
select is(
  public.oauth_uninstall('pipedrive', '7:1', now() + interval '1 minute'), 0, 'the same notice again finds nothing to do'
);
select is(public.oauth_uninstall('other', '8:1', null), 0, 'a notice of another provider is about other accounts');
select is(public.oauth_uninstall('pipedrive', '8:1', null), 1, 'a notice without a time counts as just now');

-- Completing an authorization

select ok(
  begins('request') = 'begun' and receives('request') = '/settings', 'an authorization response waits to be completed'
);
select throws_ok(
  $$ select connects(p_request_id => 'request') $$, '22023', null,
  'nothing is connected of a request that nobody has taken'
);
select isnt(takes('request'), null, 'Alice takes it');
select throws_ok(
  $$ select connects('x', his(), bob(), p_request_id => 'request') $$, '22023', null,
  'nothing is connected for Bob of what Alice has taken'
);
select is(connects('completed', p_request_id => 'request'), 6::bigint, 'Alice''s connection is stored');
select ok(
  (select status = 'finished' and connection_id = hers() and code_sealed is null and code_verifier_sealed is null
     from oauth.authorization_requests where id = 'request'),
  'and the secrets of the request are erased'
);
select is(
  connects('repeated', p_request_id => 'request'), 6::bigint,
  'the same call again, because its answer was lost, writes nothing'
);
select is(
  tokens(), 'v1.k1.iv.access-completed v1.k1.iv.refresh-completed', 'the tokens are the first call''s'
);
select results_eq(
  $$ select * from public.oauth_connect(hers(), alice(), 'pipedrive', '7:1', null, null, 'base',
       'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, 'request') $$,
  'select * from public.oauth_connections where id = hers()',
  'and is answered as the first was, with the connection as it is'
);
select is(
  connects('late', p_request_id => 'purged'), 7::bigint,
  'tokens of a request that was purged meanwhile are not thrown away'
);

-- Two tabs, and an end between exchange and storing

select elapse('10 min');
select is(
  connects('second', p_request_id => exchanges('fast tab', '10 s')), 8::bigint, 'the later of two exchanges is stored first'
);
select results_eq(
  $$ select id, status, access_expires_at from public.oauth_connect(hers(), alice(), 'pipedrive', '7:1', 'Old name',
       null, 'base', 'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, exchanges('slow tab', '60 s')) $$,
  $$ values (hers(), 'active', (connection()).access_expires_at) $$,
  'the earlier one''s tab is answered with the connection as it stands'
);
select is(
  (connection()).version || ' ' || tokens() || ' ' || (connection()).account_name,
  '8 v1.k1.iv.access-second v1.k1.iv.refresh-second Acme', 'and changes nothing of it'
);
select is(takes('slow tab'), 'finished ' || hers(), 'its request is finished all the same');
select results_eq(
  $$ select status, access_expires_at - (connection()).access_expires_at from public.oauth_connect(hers(), alice(),
       'pipedrive', '7:1', 'Acme', null, 'base', 'v1.k1.iv.access-slow', 'v1.k1.iv.refresh-slow', 'k1', 3600000, 0,
       exchanges('slow exchange', '15 s'), p_exchange_ms => 14000) $$,
  $$ select 'active', interval '0' $$, 'what was taken earlier, but exchanged later'
);
select is(tokens(), 'v1.k1.iv.access-slow v1.k1.iv.refresh-slow', 'is stored');
select is((connection()).version, 9::bigint, 'once');
select is(disconnects(), 'disconnected', 'Alice disconnects');
select is(
  connects('before', p_request_id => exchanges('before', '1 min')), 10::bigint,
  'what was exchanged before that does not bring it back'
);
select is((connection()).status, 'disconnected', 'she stays disconnected');
select is(connects('after', p_request_id => exchanges('after', '0')), 11::bigint, 'what is exchanged afterwards does');
select is(
  public.oauth_uninstall('pipedrive', '7:1', clock_timestamp() + interval '1 minute'), 1, 'the account is uninstalled'
);
select is(
  connects('before', p_request_id => exchanges('before it', '1 min')), 12::bigint, 'the same holds for that'
);
select exchanges('in between', '0');
select is(
  public.oauth_uninstall('pipedrive', '7:1', clock_timestamp()), 0, 'a notice about what has ended already'
);
select is(
  connects('in-between', p_request_id => 'in between'), 12::bigint, 'is later than what is exchanged before it, too'
);
update oauth.connections set exchanged_at = clock_timestamp() + interval '1 hour' where id = hers();
select is(
  connects('set-back', p_request_id => exchanges('set back', '0')), 13::bigint,
  'a time that lies ahead, of a clock that was set back, keeps nobody from connecting'
);
select is(
  connects('old', named('new row'), p_account_key => '9:9', p_request_id => exchanges('new row', '20 s')), 1::bigint,
  'a new connection does not lose against itself'
);

select * from finish();
rollback;
