-- Connecting, connecting again, and the three ends of a connection: by its owner, by the provider, with its user.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(59);

insert into auth.users (id) values
  ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

set local role service_role;

create function pg_temp.alice() returns uuid language sql as $$ select 'a11ce000-0000-4000-8000-000000000000'::uuid $$;
create function pg_temp.bob() returns uuid language sql as $$ select 'b0b00000-0000-4000-8000-000000000000'::uuid $$;
create function pg_temp.alices() returns uuid language sql as $$ select 'a0000000-0000-8000-8000-000000000001'::uuid $$;
create function pg_temp.bobs() returns uuid language sql as $$ select 'b0000000-0000-8000-8000-000000000001'::uuid $$;

create function pg_temp.connect(
  p_id uuid, p_user_id uuid, p_account_key text default '7:1', p_token text default 'first', p_request_id text default null
) returns bigint language sql as $$
  select public.oauth_connect(
    p_id, p_user_id, 'pipedrive', p_account_key, 'Acme', 'jane@acme.example', 'base contacts:read',
    'v1.k1.iv.access-' || p_token, 'v1.k1.iv.refresh-' || p_token, 'k1', 3600000, 1000, p_request_id
  );
  select version from oauth.connections where id = p_id
$$;
create function pg_temp.row(p_id uuid) returns oauth.connections language sql as $$
  select c from oauth.connections c where c.id = p_id
$$;
create function pg_temp.tokens(p_id uuid) returns text language sql as $$
  select access_token_sealed || ' ' || refresh_token_sealed from oauth.token_sets where connection_id = p_id
$$;
create function pg_temp.history(p_id uuid) returns text[] language sql as $$
  select array_agg(kind || ' ' || version order by id) from oauth.events where connection_id = p_id
$$;

-- Connecting

select is(pg_temp.connect(pg_temp.alices(), pg_temp.alice()), 1::bigint, 'a new connection begins with version 1');
select is((pg_temp.row(pg_temp.alices())).status, 'active', 'it is active');
select is(
  pg_temp.tokens(pg_temp.alices()), 'v1.k1.iv.access-first v1.k1.iv.refresh-first', 'its tokens are stored as they came'
);
select ok(
  (pg_temp.row(pg_temp.alices())).access_expires_at - clock_timestamp() between interval '59:50' minute to second
    and interval '59:59' minute to second,
  'it expires after the lifetime given less what the exchange took'
);
select is((pg_temp.row(pg_temp.alices())).leeway, interval '1 minute', 'the leeway of an hour is a minute');
select ok(
  (c.access_expires_at - c.refresh_after) between interval '4 minutes' and interval '6 minutes',
  'its soft window is five minutes, a fifth more or less'
) from pg_temp.row(pg_temp.alices()) c;
select is(pg_temp.history(pg_temp.alices()), '{connected 1}', 'an event tells of it');
select results_eq(
  $$ select id, provider, status, account, scope from public.oauth_connection(pg_temp.alices(), pg_temp.alice()) $$,
  $$ values (pg_temp.alices(), 'pipedrive', 'active',
     '{"id": "7:1", "name": "Acme", "email": "jane@acme.example"}'::jsonb, '{base,contacts:read}'::text[]) $$,
  'its owner may have it shown'
);
select is_empty(
  $$ select public.oauth_connection(pg_temp.alices(), pg_temp.bob()) $$, 'to another user there is no such connection'
);
select isnt_empty(
  $$ select public.oauth_connection(pg_temp.alices(), null) $$, 'a caller with the secret key names no user'
);

-- One account is one row, per user

select is(pg_temp.connect(pg_temp.bobs(), pg_temp.bob()), 1::bigint, 'another user may connect the same account');
select is((pg_temp.row(pg_temp.alices())).version, 1::bigint, 'and changes nothing of the first one''s connection');
select throws_ok(
  $$ select pg_temp.connect(pg_temp.alices(), pg_temp.bob()) $$, '23505', null,
  'nobody connects over another user''s row, id or no id'
);
select throws_ok(
  $$ select pg_temp.connect(pg_temp.alices(), pg_temp.alice(), '8:1') $$, '23505', null,
  'nor another account over this one'
);
select throws_ok(
  $$ select pg_temp.connect(gen_random_uuid(), pg_temp.alice()) $$, '23505', null, 'nor the same account under a second id'
);
select is(
  pg_temp.tokens(pg_temp.alices()), 'v1.k1.iv.access-first v1.k1.iv.refresh-first', 'none of these touched a token'
);
select throws_ok(
  $$ select public.oauth_connect(
       pg_temp.alices(), pg_temp.alice(), 'pipedrive', '7:1', null, null, 'base', 'plain', 'text', 'k1', 3600000, 0, null
     ) $$,
  '23514', null, 'a token that is not sealed is not stored'
);
select throws_ok(
  $$ select public.oauth_connect(
       pg_temp.alices(), pg_temp.alice(), 'pipedrive', '7:1', null, null, 'base', 'v1.k1.iv.x', 'v1.k2.iv.x', 'k1',
       3600000, 0, null
     ) $$,
  '23514', null, 'nor one sealed under another key than the row will say'
);
select throws_ok(
  $$ select pg_temp.connect(gen_random_uuid(), gen_random_uuid(), '1:1') $$, '23503', null,
  'a user who does not exist connects nothing'
);

-- Connecting again, with a refresh under way that has failed before

update oauth.connections
   set lease_id = gen_random_uuid(), lease_until = now() + interval '20 s', attempts = 2, failure_code = 'server_error',
       unsettled_until = now(), next_attempt_at = now() + interval '1 s', connected_at = now() - interval '1 day',
       committed_lease_id = gen_random_uuid()
 where id = pg_temp.alices();
select is(
  pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_token => 'again'), 2::bigint, 'connecting again adds one to version'
);
select is(pg_temp.tokens(pg_temp.alices()), 'v1.k1.iv.access-again v1.k1.iv.refresh-again', 'and replaces the tokens');
select ok(
  c.lease_id is null and c.lease_until is null and c.attempts = 0 and c.unsettled_until is null
    and c.next_attempt_at is null and c.failure_code is null and c.committed_lease_id is null,
  'nothing of the refresh remains'
) from pg_temp.row(pg_temp.alices()) c;
select ok((pg_temp.row(pg_temp.alices())).connected_at > now() - interval '1 hour', 'it counts as connected just now');
select is(pg_temp.history(pg_temp.alices()), '{connected 1,connected 2}', 'an event tells of it, too');

-- Disconnecting

select is_empty(
  $$ select public.oauth_disconnect(pg_temp.alices(), pg_temp.bob(), 'pipedrive') $$, 'nobody disconnects another user''s connection'
);
select is_empty($$ select public.oauth_disconnect(pg_temp.alices(), null, 'pipedrive') $$, 'nor does nobody');
select is((pg_temp.row(pg_temp.alices())).status, 'active', 'it stays active');
select results_eq(
  $$ select status, refresh_token_sealed
       from public.oauth_disconnect(pg_temp.alices(), pg_temp.alice(), 'pipedrive') $$,
  $$ values ('disconnected', 'v1.k1.iv.refresh-again') $$,
  'its owner does, and the refresh token comes back once, to be revoked'
);
select is((pg_temp.row(pg_temp.alices())).status, 'disconnected', 'it is disconnected');
select is((pg_temp.row(pg_temp.alices())).version, 3::bigint, 'disconnecting adds one to version');
select is(pg_temp.tokens(pg_temp.alices()), null, 'the tokens are gone');
select is((pg_temp.row(pg_temp.alices())).access_expires_at, null, 'nothing is left that could expire');
select results_eq(
  $$ select status, refresh_token_sealed
       from public.oauth_disconnect(pg_temp.alices(), pg_temp.alice(), 'pipedrive') $$,
  $$ values ('disconnected', null::text) $$,
  'disconnecting again is no error, and brings no token'
);
select is(
  pg_temp.history(pg_temp.alices()), '{connected 1,connected 2,disconnected 3}', 'it is recorded once'
);
select is_empty(
  $$ select public.oauth_connections_of(pg_temp.alice(), 'pipedrive') $$, 'a disconnected one is not among a user''s'
);
select is(
  pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_token => 'third'), 4::bigint,
  'connecting once more takes up the same row'
);
select is((pg_temp.row(pg_temp.alices())).status, 'active', 'and makes it active');

-- A user's connections, oldest first

select is(
  pg_temp.connect('a0000000-0000-8000-8000-000000000000', pg_temp.alice(), '8:1'), 1::bigint,
  'Alice connects a second account'
);
update oauth.connections set status = 'reauthorization_required' where account_key = '8:1';
select results_eq(
  $$ select * from public.oauth_connections_of(pg_temp.alice(), 'pipedrive') $$,
  $$ values (pg_temp.alices(), 'active'), ('a0000000-0000-8000-8000-000000000000', 'reauthorization_required') $$,
  'her connections are told apart by id and status, oldest first'
);
select is_empty(
  $$ select public.oauth_connections_of(pg_temp.alice(), 'other') $$, 'at another provider she has none'
);

-- Uninstalling, as the provider tells

select is(
  public.oauth_uninstall('pipedrive', '7:1', now() - interval '1 day'), 0,
  'a notice from before the connection was made changes nothing'
);
select is(
  public.oauth_uninstall('pipedrive', '7:1', (pg_temp.row(pg_temp.alices())).connected_at), 1,
  'a notice erases what was connected before it, not what was connected at its very moment'
);
select is((pg_temp.row(pg_temp.alices())).status, 'active', 'Alice connected again after it: hers stays');
select is((pg_temp.row(pg_temp.bobs())).status, 'disconnected', 'Bob connected before it: his ends');
select is(pg_temp.tokens(pg_temp.bobs()), null, 'his tokens are gone');
select is(pg_temp.history(pg_temp.bobs()), '{connected 1,uninstalled 2}', 'an event says why');
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
  (select outcome = 'begun' from public.oauth_begin_authorization(
    'request', pg_temp.alice(), 'pipedrive', 'binding', 'https://x.example/callback', '/', 'v1.k1.iv.verifier', 600000, 5
  )) and (select return_to = '/' from public.oauth_receive_authorization_response(
    'request', 'pipedrive', 'ticket', 'v1.k1.iv.code'
  )),
  'an authorization response waits to be completed'
);
select throws_ok(
  $$ select pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_request_id => 'request') $$, '22023', null,
  'nothing is connected of a request that nobody has taken'
);
select isnt_empty(
  $$ select public.oauth_take_authorization('pipedrive', 'ticket', 'binding', pg_temp.alice()) $$, 'Alice takes it'
);
select throws_ok(
  $$ select pg_temp.connect(pg_temp.bobs(), pg_temp.bob(), p_request_id => 'request') $$, '22023', null,
  'nothing is connected for Bob of what Alice has taken'
);
select is(
  pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_token => 'completed', p_request_id => 'request'), 6::bigint,
  'Alice''s connection is stored'
);
select ok(
  (select status = 'finished' and ticket_hash is null and code_sealed is null and code_verifier_sealed is null
     from oauth.authorization_requests where id = 'request'),
  'and the secrets of the request are erased'
);
select is(
  pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_token => 'repeated', p_request_id => 'request'), 6::bigint,
  'the same call again, because its answer was lost, writes nothing'
);
select is(
  pg_temp.tokens(pg_temp.alices()), 'v1.k1.iv.access-completed v1.k1.iv.refresh-completed', 'the tokens are the first call''s'
);
select is(
  pg_temp.connect(pg_temp.alices(), pg_temp.alice(), p_token => 'late', p_request_id => 'purged'), 7::bigint,
  'tokens of a request that was purged meanwhile are not thrown away'
);

select * from finish();
rollback;
