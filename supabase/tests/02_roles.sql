-- Who may see and do what: Alice, who owns two connections; Bob, who owns two others, one of them at the very account
-- that Alice also uses; a visitor without a login; and the server.
begin;
\ir helpers.psql
select plan(51);

-- The server connects them

select as_server();
select is(connects('1', id, user_id, account_key), 1::bigint, 'the server connects ' || account_key)
from (values
  (hers(), alice(), '7:1'), (named('her second'), alice(), '8:1'), (his(), bob(), '7:1'), (named('his second'), bob(), '9:1')
) as c (id, user_id, account_key);
select is(begins('another'), 'begun', 'Alice has begun another');

select is((select count(*) from public.oauth_connections), 4::bigint, 'the server sees every connection');
select is((select count(*) from oauth.token_sets), 4::bigint, 'and their token sets');
select throws_ok('delete from oauth.connections', '42501', null, 'the server cannot delete a connection');
select throws_ok('update oauth.events set code = null', '42501', null, 'the server cannot change history');
select throws_ok('delete from oauth.events', '42501', null, 'nor delete it');
select throws_ok('truncate oauth.token_sets', '42501', null, 'nor empty a table');
select throws_ok('alter table oauth.token_sets disable row level security', '42501', null, 'nor open one');

-- Alice, with her login

select as_user(alice());
select results_eq(
  'select id, provider, status, scope, account from public.oauth_connections order by account ->> ''id''',
  $$ values
    (hers(), 'pipedrive', 'active', '{base,contacts:read}'::text[],
     '{"id": "7:1", "name": "Acme", "email": "jane@acme.example"}'::jsonb),
    (named('her second'), 'pipedrive', 'active', '{base,contacts:read}',
     '{"id": "8:1", "name": "Acme", "email": "jane@acme.example"}') $$,
  'Alice sees her connections, and only hers'
);
select is_empty(
  'select from public.oauth_connections where id = his()',
  'Bob''s is not there when she asks for it by its id, though it speaks for the same account'
);
select ok(
  (select bool_and(access_expires_at > now() and created_at <= updated_at) from public.oauth_connections),
  'Alice sees when her access tokens expire'
);
select results_eq(
  'select connection_id, kind, version, scope from public.oauth_events order by id',
  $$ values
    (hers(), 'connected', 1::bigint, '{base,contacts:read}'::text[]),
    (named('her second'), 'connected', 1, '{base,contacts:read}') $$,
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
  $$ insert into public.oauth_events (connection_id, kind, version) values (hers(), 'connected', 9) $$,
  '42501', null, 'nor write it'
);
select throws_ok('select from oauth.token_sets', '42501', null, 'Alice cannot name the table of token sets');
select throws_ok('select from oauth.authorization_requests', '42501', null, 'nor that of authorization requests');
select throws_ok('select id from oauth.connections', '42501', null, 'nor that of connections');
select throws_ok('select id from oauth.events', '42501', null, 'nor that of events');

-- Functions are reached through the API by name. Each is called, with nulls, as each role.

select as_operator();
create function reachable_by(p_role text) returns setof text language plpgsql as $$
declare
  v_function record;
  v_state text;
begin
  for v_function in
    select f.name,
           format('select %s(%s)', f.oid::regproc,
             (select string_agg(format('null::%s', t::regtype), ', ') from unnest(p.proargtypes) t)) as call
      from our_functions() f
      join pg_proc p on p.oid = f.oid
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

select is_empty($$ select reachable_by('authenticated') $$, 'a user can call none of the functions');
select is_empty($$ select reachable_by('anon') $$, 'nor can a visitor');
select isnt_empty($$ select reachable_by('service_role') $$, 'the server can');

-- Mistakes of whoever comes later. Each alone opens nothing.

grant usage on schema oauth to authenticated;
grant execute on all functions in schema public to authenticated;
select as_user(alice());

select set_eq(
  'select id from oauth.connections', array[hers(), named('her second')],
  'were the schema opened, Alice would still see her own rows only'
);
select throws_ok('select * from oauth.connections', '42501', null, 'and not all their columns');
select throws_ok('select lease_id from oauth.connections', '42501', null, 'not the lease');
select throws_ok('select forced_until from oauth.connections', '42501', null, 'not the allowance');
select throws_ok('select user_id from oauth.connections', '42501', null, 'not whose they are');
select throws_ok('update oauth.connections set user_id = bob()', '42501', null, 'she could not give hers to Bob');
select throws_ok('select kept_until from oauth.events', '42501', null, 'not every column of events');
select throws_ok('select connection_id from oauth.token_sets', '42501', null, 'and no token set');
select throws_ok('select id from oauth.authorization_requests', '42501', null, 'and no authorization request');
select throws_ok(
  'select public.oauth_peek(hers(), null, -1)', '42501', null,
  'were the functions opened, they would still run with her rights: no token'
);
select throws_ok(
  'select public.oauth_claim_refresh(hers(), 1, true, ''{}'', 1000, 3000, 0)', '42501', null, 'and no lease'
);
select throws_ok($$ select disconnects(his(), bob()) $$, '42501', null, 'and no disconnecting for Bob');

select as_operator();
grant select on oauth.token_sets, oauth.authorization_requests to authenticated;
select as_user(alice());
select is_empty('select * from oauth.token_sets', 'were even the tables granted, no policy would show a token set');
select is_empty('select * from oauth.authorization_requests', 'or an authorization request');
select as_operator();
revoke select on oauth.token_sets, oauth.authorization_requests from authenticated;
revoke usage on schema oauth from authenticated;

-- A login without a user, and no login at all

select as_user(null);
select is_empty('select from public.oauth_connections', 'a login that names nobody sees nothing');

select as_visitor();
select throws_ok('select from public.oauth_connections', '42501', null, 'a visitor cannot read connections');
select throws_ok('select count(*) from public.oauth_connections', '42501', null, 'nor count them');
select throws_ok('select from public.oauth_events', '42501', null, 'nor events');
select throws_ok('select from oauth.token_sets', '42501', null, 'nor token sets');

-- Alice leaves

select as_operator();
delete from auth.users where id = alice();
select set_eq(
  'select connection_id from oauth.token_sets', array[his(), named('his second')],
  'her tokens go with her, Bob''s stay'
);
select is_empty('select from oauth.authorization_requests', 'what she began goes with her');
select is((select count(*) from oauth.events), 2::bigint, 'her history goes with her');
select as_user(alice());
select is_empty('select from public.oauth_connections', 'a login that outlives its user sees nothing');

select * from finish();
rollback;
