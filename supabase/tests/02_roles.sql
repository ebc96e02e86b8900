-- Who may see and do what: Alice, who owns two connections; Bob, who owns two others, one of them at the very account
-- that Alice also uses; a visitor without a login; and the server.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(51);

insert into auth.users (id) values
  ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

-- The server connects them

set local role service_role;
select is(stored.status, 'active', 'the server connects ' || account_key)
from (values
  ('a0000000-0000-8000-8000-000000000001'::uuid, 'a11ce000-0000-4000-8000-000000000000'::uuid, '7:1', 'Acme'),
  ('a0000000-0000-8000-8000-000000000002', 'a11ce000-0000-4000-8000-000000000000', '8:1', null),
  ('b0000000-0000-8000-8000-000000000001', 'b0b00000-0000-4000-8000-000000000000', '7:1', 'Acme'),
  ('b0000000-0000-8000-8000-000000000002', 'b0b00000-0000-4000-8000-000000000000', '9:1', null)
) as c (id, user_id, account_key, account_name)
cross join lateral public.oauth_connect(
  id, user_id, 'pipedrive', account_key, account_name, null, 'base contacts:read',
  'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null
) stored;
select is(
  (select outcome from public.oauth_begin_authorization(
    'hash of state', 'a11ce000-0000-4000-8000-000000000000', 'pipedrive', 'hash of binding', 'https://x.example/callback',
    '/', null, 600000, 5
  )),
  'begun', 'Alice has begun another'
);

select is((select count(*) from public.oauth_connections), 4::bigint, 'the server sees every connection');
select is((select count(*) from oauth.token_sets), 4::bigint, 'and their token sets');
select throws_ok('delete from oauth.connections', '42501', null, 'the server cannot delete a connection');
select throws_ok('update oauth.events set code = null', '42501', null, 'the server cannot change history');
select throws_ok('delete from oauth.events', '42501', null, 'nor delete it');
select throws_ok('truncate oauth.token_sets', '42501', null, 'nor empty a table');
select throws_ok('alter table oauth.token_sets disable row level security', '42501', null, 'nor open one');

-- Alice, with her login

reset role;
set local role authenticated;
set local request.jwt.claims = '{"sub": "a11ce000-0000-4000-8000-000000000000", "role": "authenticated"}';

select results_eq(
  'select id, provider, status, scope, account from public.oauth_connections order by id',
  $$ values
    ('a0000000-0000-8000-8000-000000000001'::uuid, 'pipedrive', 'active', '{base,contacts:read}'::text[],
     '{"id": "7:1", "name": "Acme"}'::jsonb),
    ('a0000000-0000-8000-8000-000000000002', 'pipedrive', 'active', '{base,contacts:read}', '{"id": "8:1"}') $$,
  'Alice sees her connections, and only hers'
);
select is_empty(
  $$ select from public.oauth_connections where id = 'b0000000-0000-8000-8000-000000000001' $$,
  'Bob''s is not there when she asks for it by its id, though it speaks for the same account'
);
select ok(
  (select bool_and(access_expires_at > now() and created_at <= updated_at) from public.oauth_connections),
  'Alice sees when her access tokens expire'
);
select results_eq(
  'select connection_id, kind, version, scope from public.oauth_events order by connection_id',
  $$ values
    ('a0000000-0000-8000-8000-000000000001'::uuid, 'connected', 1::bigint, '{base,contacts:read}'::text[]),
    ('a0000000-0000-8000-8000-000000000002', 'connected', 1, '{base,contacts:read}') $$,
  'Alice sees what happened to her connections, and only to hers'
);

select throws_ok(
  $$ update public.oauth_connections set status = 'disconnected' $$, '42501', null,
  'Alice cannot change her connection'
);
select throws_ok('delete from public.oauth_connections', '42501', null, 'nor delete it');
select throws_ok(
  $$ insert into public.oauth_connections (id, provider, status) values (gen_random_uuid(), 'pipedrive', 'active') $$,
  '42501', null, 'nor make one up'
);
select throws_ok('delete from public.oauth_events', '42501', null, 'Alice cannot delete history');
select throws_ok(
  $$ insert into public.oauth_events (connection_id, kind, version)
     values ('a0000000-0000-8000-8000-000000000001', 'connected', 9) $$,
  '42501', null, 'nor write it'
);
select throws_ok('select from oauth.token_sets', '42501', null, 'Alice cannot name the table of token sets');
select throws_ok('select from oauth.authorization_requests', '42501', null, 'nor that of authorization requests');
select throws_ok('select id from oauth.connections', '42501', null, 'nor that of connections');
select throws_ok('select id from oauth.events', '42501', null, 'nor that of events');

-- Functions are reached through the API by name. Each is called, with nulls, as each role.

reset role;
create function pg_temp.reachable_by(p_role text) returns setof text language plpgsql as $$
declare
  v_function record;
  v_state text;
begin
  for v_function in
    select p.oid::regprocedure as name,
           format('select %s(%s)', p.oid::regproc,
             (select string_agg(format('null::%s', t::regtype), ', ') from unnest(p.proargtypes) t)) as call
      from pg_proc p
     where (p.pronamespace = 'public'::regnamespace and p.proname like 'oauth\_%')
        or p.pronamespace = 'oauth'::regnamespace
  loop
    execute format('set local role %I', p_role);
    begin
      execute v_function.call;
      v_state := 'success';
    exception when others then
      v_state := sqlstate;
    end;
    reset role;
    if v_state <> '42501' then
      return next format('%s: %s', v_function.name, v_state);
    end if;
  end loop;
end;
$$;

select is_empty($$ select pg_temp.reachable_by('authenticated') $$, 'a user can call none of the functions');
select is_empty($$ select pg_temp.reachable_by('anon') $$, 'nor can a visitor');
select isnt_empty($$ select pg_temp.reachable_by('service_role') $$, 'the server can');

-- Mistakes of whoever comes later. Each alone opens nothing.

grant usage on schema oauth to authenticated;
grant execute on all functions in schema public to authenticated;
set local role authenticated;

select results_eq(
  'select id from oauth.connections order by id',
  $$ values ('a0000000-0000-8000-8000-000000000001'::uuid), ('a0000000-0000-8000-8000-000000000002') $$,
  'were the schema opened, Alice would still see her own rows only'
);
select throws_ok('select * from oauth.connections', '42501', null, 'and not all their columns');
select throws_ok('select lease_id from oauth.connections', '42501', null, 'not the lease');
select throws_ok('select forced_until from oauth.connections', '42501', null, 'not the allowance');
select throws_ok('select user_id from oauth.connections', '42501', null, 'not whose they are');
select throws_ok(
  $$ update oauth.connections set user_id = 'b0b00000-0000-4000-8000-000000000000' $$, '42501', null,
  'she could not give hers to Bob'
);
select throws_ok('select kept_until from oauth.events', '42501', null, 'not every column of events');
select throws_ok('select connection_id from oauth.token_sets', '42501', null, 'and no token set');
select throws_ok('select id from oauth.authorization_requests', '42501', null, 'and no authorization request');
select throws_ok(
  $$ select public.oauth_peek('a0000000-0000-8000-8000-000000000001', null, -1) $$, '42501', null,
  'were the functions opened, they would still run with her rights: no token'
);
select throws_ok(
  $$ select public.oauth_claim_refresh('a0000000-0000-8000-8000-000000000001', 1, true, 1000, 3000, 0) $$, '42501', null,
  'and no lease'
);
select throws_ok(
  $$ select public.oauth_disconnect('b0000000-0000-8000-8000-000000000001', 'b0b00000-0000-4000-8000-000000000000', 'pipedrive') $$,
  '42501', null, 'and no disconnecting for Bob'
);

reset role;
grant select on oauth.token_sets, oauth.authorization_requests to authenticated;
set local role authenticated;
select is_empty('select * from oauth.token_sets', 'were even the tables granted, no policy would show a token set');
select is_empty('select * from oauth.authorization_requests', 'or an authorization request');
reset role;
revoke select on oauth.token_sets, oauth.authorization_requests from authenticated;
revoke usage on schema oauth from authenticated;

-- A login without a user, and no login at all

set local role authenticated;
set local request.jwt.claims = '{"role": "authenticated"}';
select is_empty('select from public.oauth_connections', 'a login that names nobody sees nothing');

reset role;
set local role anon;
set local request.jwt.claims = '{"role": "anon"}';
select throws_ok('select from public.oauth_connections', '42501', null, 'a visitor cannot read connections');
select throws_ok('select count(*) from public.oauth_connections', '42501', null, 'nor count them');
select throws_ok('select from public.oauth_events', '42501', null, 'nor events');
select throws_ok('select from oauth.token_sets', '42501', null, 'nor token sets');

-- Alice leaves

reset role;
delete from auth.users where id = 'a11ce000-0000-4000-8000-000000000000';
select results_eq(
  'select connection_id from oauth.token_sets order by 1',
  $$ values ('b0000000-0000-8000-8000-000000000001'::uuid), ('b0000000-0000-8000-8000-000000000002') $$,
  'her tokens go with her, Bob''s stay'
);
select is_empty('select from oauth.authorization_requests', 'what she began goes with her');
select is((select count(*) from oauth.events), 2::bigint, 'her history goes with her');
set local role authenticated;
set local request.jwt.claims = '{"sub": "a11ce000-0000-4000-8000-000000000000", "role": "authenticated"}';
select is_empty('select from public.oauth_connections', 'a login that outlives its user sees nothing');

select * from finish();
rollback;
