-- An authorization is completed by the user who began it, in the page that began it, once, and soon.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(51);

insert into auth.users (id) values
  ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

set local role service_role;

create function pg_temp.alice() returns uuid language sql as $$ select 'a11ce000-0000-4000-8000-000000000000'::uuid $$;
create function pg_temp.bob() returns uuid language sql as $$ select 'b0b00000-0000-4000-8000-000000000000'::uuid $$;

create function pg_temp.begin(p_id text, p_user_id uuid default pg_temp.alice(), p_limit integer default 100)
returns text language sql as $$
  select outcome from public.oauth_begin_authorization(
    p_id, p_user_id, 'pipedrive', 'binding of ' || p_id, 'https://x.example/callback', '/settings',
    'v1.k1.iv.verifier', 600000, p_limit
  )
$$;
create function pg_temp.receive(p_id text, p_provider text default 'pipedrive') returns text language sql as $$
  select return_to from public.oauth_receive_authorization_response(
    p_id, p_provider, 'ticket of ' || p_id, 'v1.k1.iv.code'
  )
$$;
create function pg_temp.take(
  p_id text, p_user_id uuid default pg_temp.alice(), p_binding_of text default null, p_provider text default 'pipedrive'
) returns text language sql as $$
  select code_sealed || ' ' || code_verifier_sealed || ' ' || redirect_uri from public.oauth_take_authorization(
    p_provider, 'ticket of ' || p_id, 'binding of ' || coalesce(p_binding_of, p_id), p_user_id
  ) where id = p_id
$$;
create function pg_temp.status(p_id text) returns text language sql as $$
  select status from oauth.authorization_requests where id = p_id
$$;
create function pg_temp.expire(p_id text) returns void language sql as $$
  update oauth.authorization_requests set expires_at = clock_timestamp() where id = p_id
$$;

-- The way it should go

select is(pg_temp.begin('good'), 'begun', 'Alice begins');
select ok(
  (select expires_at = created_at + interval '10 minutes' and created_at between now() and clock_timestamp()
     from oauth.authorization_requests where id = 'good'),
  'she has as long as was said, by the database''s clock'
);
select throws_ok($$ select pg_temp.begin('good') $$, '23505', null, 'no two requests have the same state');
select is(pg_temp.take('good'), null, 'before the provider has answered there is nothing to take');
select is(pg_temp.receive('good'), '/settings', 'the redirect learns where the application wants it');
select is(pg_temp.receive('good'), null, 'a state is good for one redirect');
select is(
  pg_temp.take('good'), 'v1.k1.iv.code v1.k1.iv.verifier https://x.example/callback', 'Alice takes what was parked'
);
select is(pg_temp.take('good'), null, 'a ticket is good for one try');
select is(pg_temp.receive('good'), null, 'and the state stays used');

-- Someone else, or somewhere else

select is(pg_temp.begin('hers'), 'begun', 'Alice begins another');
select is(pg_temp.begin('his', pg_temp.bob()), 'begun', 'and Bob one');
select is(pg_temp.receive('hers', 'other'), null, 'another provider''s path does not receive it');
select is(pg_temp.receive('unknown'), null, 'a state that nobody began with is nothing');
select is(pg_temp.receive('hers'), '/settings', 'neither try used it up');
select is(pg_temp.receive('his'), '/settings', 'Bob''s is received too');
select is(pg_temp.take('hers', pg_temp.bob()), null, 'Bob cannot complete what Alice began');
select is(pg_temp.take('his', pg_temp.alice()), null, 'nor Alice what Bob began');
select is(pg_temp.take('hers', null), null, 'nor nobody');
select is(pg_temp.take('hers', p_binding_of => 'his'), null, 'another request''s binding does not fit');
select is(pg_temp.take('hers', p_binding_of => 'page unknown'), null, 'nor does a wrong one');
select is(pg_temp.take('hers', p_provider => 'other'), null, 'nor another provider''s path');
select is(pg_temp.status('hers'), 'parked', 'none of these tries used it up');
select isnt(pg_temp.take('hers'), null, 'Alice still completes it');

-- Too late

select is(pg_temp.begin('slow'), 'begun', 'Alice begins, and waits');
select pg_temp.expire('slow');
select is(pg_temp.receive('slow'), null, 'after its time a state is nothing');
select is(pg_temp.begin('slower'), 'begun', 'Alice begins again');
select is(pg_temp.receive('slower'), '/settings', 'comes back, and waits');
select pg_temp.expire('slower');
select is(pg_temp.take('slower'), null, 'after its time a ticket is nothing');
select throws_ok(
  $$ select public.oauth_begin_authorization('forever', pg_temp.alice(), 'pipedrive', 'b', 'r', '/', null, 600001, 5) $$,
  '22023', null, 'nobody has longer than ten minutes'
);

-- Denied

select is(pg_temp.begin('denied'), 'begun', 'Alice begins, and cancels at the provider');
select is(
  (select return_to from public.oauth_receive_authorization_response('denied', 'pipedrive', null, null)), '/settings',
  'the redirect learns where the application wants it'
);
select ok(
  (select status = 'denied' and code_verifier_sealed is null from oauth.authorization_requests where id = 'denied'),
  'the request is over and its secrets are erased'
);
select is(pg_temp.receive('denied'), null, 'a code that arrives afterwards is not parked');
select is(pg_temp.begin('half'), 'begun', 'Alice begins once more');
select throws_ok(
  $$ select public.oauth_receive_authorization_response('half', 'pipedrive', 'ticket', null) $$, '23514', null,
  'a ticket without a code is not handed out'
);
select throws_ok(
  $$ select public.oauth_receive_authorization_response('half', 'pipedrive', 'ticket', 'plain code') $$, '23514', null,
  'a code that is not sealed is not parked'
);

-- No final answer

select lives_ok(
  $$ select public.oauth_return_authorization('hers') $$, 'the provider did not answer: the request is put back'
);
select isnt(pg_temp.take('hers'), null, 'and may be taken again');
select lives_ok($$ select public.oauth_return_authorization('denied') $$, 'a request that is over is no error');
select is(pg_temp.status('denied'), 'denied', 'and stays over');

-- Not too many at once

delete from oauth.authorization_requests;
select is(
  array(select pg_temp.begin('request ' || n, p_limit => 3) from generate_series(1, 4) n),
  '{begun,begun,begun,too_many}', 'a user has so many open requests and no more'
);
select is(pg_temp.begin('his', pg_temp.bob(), 3), 'begun', 'another user is not held up by it');
select pg_temp.expire('request 1');
select is(pg_temp.begin('request 4', p_limit => 3), 'begun', 'an expired one makes room');
select isnt(pg_temp.receive('request 2'), null, 'one that comes back');
select is(pg_temp.begin('request 5', p_limit => 3), 'too_many', 'is still open');
select isnt(pg_temp.take('request 2'), null, 'one that is completed');
select is(pg_temp.begin('request 5', p_limit => 3), 'begun', 'is not');

-- What is over is cleared away

select is(public.oauth_purge(10), 1, 'what has expired is deleted');
select set_eq(
  'select id from oauth.authorization_requests',
  array['request 2', 'request 3', 'request 4', 'request 5', 'his'], 'and nothing else'
);
update oauth.authorization_requests set expires_at = clock_timestamp() where user_id = pg_temp.alice();
select is(public.oauth_purge(3), 3, 'so many at a time');
select is(public.oauth_purge(3), 1, 'until none is left');

select * from finish();
rollback;
