-- An authorization is completed by the user who began it, in the page that began it, once, and soon.
begin;
\ir helpers.psql
select plan(74);
select as_server();

-- The way it should go

select is(begins('good'), 'begun', 'Alice begins');
select ok(
  (select expires_at = created_at + interval '10 minutes' and created_at between now() and clock_timestamp()
     from oauth.authorization_requests where id = 'good'),
  'she has as long as was said, by the database''s clock'
);
select throws_ok($$ select begins('good') $$, '23505', null, 'no two requests have the same state');
select is(takes('good'), null, 'before the provider has answered there is nothing to take');
select is(receives('good'), '/settings', 'the redirect learns where the application wants it');
select is(receives('good'), '/settings', 'the same redirect again is told the same');
select is_empty(
  $$ select public.oauth_receive_authorization_response('good', 'pipedrive', 'another ticket', 'v1.k1.iv.another') $$,
  'another code for the same state is not parked'
);
select is_empty(
  $$ select public.oauth_receive_authorization_response('good', 'pipedrive', null, null) $$, 'and no denial counts'
);
select is(takes('good'), 'v1.k1.iv.code v1.k1.iv.verifier https://x.example/callback', 'Alice takes what was parked');
select is(takes('good'), 'under_way', 'a ticket brings the code once');
update oauth.authorization_requests set taken_by = named('attempt') where id = 'good';
select is(
  takes('good', p_attempt_id => named('attempt')), 'v1.k1.iv.code v1.k1.iv.verifier https://x.example/callback',
  'but for the attempt that has it, whose answer may have been lost'
);
select is(receives('good'), '/settings', 'the redirect again does not park it anew');
select is(request_status('good'), 'taken', 'it stays taken');
update oauth.authorization_requests set taken_at = taken_at - interval '2 minutes' where id = 'good';
select is(takes('good'), null, 'what has not ended after two minutes will not');

-- Someone else, or somewhere else

select is(begins('hers'), 'begun', 'Alice begins another');
select is(begins('his', bob()), 'begun', 'and Bob one');
select is(receives('hers', 'other'), null, 'another provider''s path does not receive it');
select is(receives('unknown'), null, 'a state that nobody began with is nothing');
select is(receives('hers'), '/settings', 'neither try used it up');
select is(receives('his'), '/settings', 'Bob''s is received too');
select is(takes('hers', bob()), null, 'Bob cannot complete what Alice began');
select is(takes('his', alice()), null, 'nor Alice what Bob began');
select is(takes('hers', null), null, 'nor nobody');
select is(takes('hers', p_binding_of => 'his'), null, 'another request''s binding does not fit');
select is(takes('hers', p_binding_of => 'page unknown'), null, 'nor does a wrong one');
select is(takes('hers', p_provider => 'other'), null, 'nor another provider''s path');
select is(request_status('hers'), 'parked', 'none of these tries used it up');
select isnt(takes('hers'), null, 'Alice still completes it');

-- Too late

select is(begins('slow'), 'begun', 'Alice begins, and waits');
select request_expires('slow');
select is(receives('slow'), null, 'after its time a state is nothing');
select is(begins('slower'), 'begun', 'Alice begins again');
select is(receives('slower'), '/settings', 'comes back, and waits');
select request_expires('slower');
select is(takes('slower'), null, 'after its time a ticket is nothing');
select throws_ok(
  $$ select public.oauth_begin_authorization('forever', alice(), 'pipedrive', 'b', 'r', '/', null, 600001, 5) $$,
  '22023', null, 'nobody has longer than ten minutes'
);

-- Denied

select is(begins('denied'), 'begun', 'Alice begins, and cancels at the provider');
select is(
  (select return_to from public.oauth_receive_authorization_response('denied', 'pipedrive', null, null)), '/settings',
  'the redirect learns where the application wants it'
);
select ok(
  (select status = 'denied' and code_verifier_sealed is null from oauth.authorization_requests where id = 'denied'),
  'the request is over and its secrets are erased'
);
select is(receives('denied'), null, 'a code that arrives afterwards is not parked');
select is(
  (select return_to from public.oauth_receive_authorization_response('denied', 'pipedrive', null, null)), '/settings',
  'the same denial again is told the same'
);
select is(begins('half'), 'begun', 'Alice begins once more');
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
  $$ select gives_back('hers', false) $$, 'the provider did not answer: the request is put back'
);
select isnt(takes('hers'), null, 'and may be taken again');
select lives_ok(
  $$ select public.oauth_return_authorization('ticket of hers', named('the first attempt'), false) $$,
  'the same call comes again, late'
);
select is(request_status('hers'), 'taken', 'and leaves it to whoever has it now');
select lives_ok($$ select gives_back('denied', true) $$, 'a request that is over is no error');
select is(request_status('denied'), 'denied', 'and stays over');

-- Refused

select lives_ok($$ select gives_back('hers', true) $$, 'the provider refuses the code');
select ok(
  (select status = 'refused' and code_sealed is null and code_verifier_sealed is null
     from oauth.authorization_requests where id = 'hers'),
  'its secrets are erased'
);
select is(takes('hers'), null, 'and nothing can be taken any more');
select is(receives('hers'), '/settings', 'the redirect again is told the same');
delete from oauth.authorization_requests;
select is(
  array(
    select begins('code ' || n) || ' ' || (receives('code ' || n) is not null)
           || ' ' || case takes('code ' || n) when 'too_many' then 'too_many' else 'taken' end
      from generate_series(1, 6) n
  ),
  array_cat(array_fill('begun true taken'::text, '{5}'), '{begun true too_many}'),
  'five codes of a user are under way at once'
);
select gives_back('code ' || n, true) from generate_series(1, 5) n;
select is(takes('code 6'), 'too_many', 'when five were refused no other goes out');
select is(request_status('code 6'), 'parked', 'it waits');
select ok(begins('his', bob()) = 'begun' and receives('his') is not null, 'another user has a code');
select isnt(takes('his', bob()), 'too_many', 'who is not held up by it');
select request_expires('code 1');
select isnt(takes('code 6'), 'too_many', 'after their time it may go out');

select lives_ok(
  $$ update oauth.authorization_requests set status = 'parked', exchanges = 19 where id = 'code 6' $$,
  'a code is tried again and again, because the provider gives no final answer'
);
delete from oauth.authorization_requests where id <> 'code 6';
select isnt(takes('code 6'), 'too_many', 'twenty times');
select gives_back('code 6', false);
select is(takes('code 6'), 'too_many', 'and no more');

-- Not too many in ten minutes

delete from oauth.authorization_requests;
select is(
  array(select begins('request ' || n, p_limit => 3) from generate_series(1, 4) n),
  '{begun,begun,begun,too_many}', 'a user begins so many and no more'
);
select is(begins('his', bob(), 3), 'begun', 'another user is not held up by it');
select request_expires('request 1');
select is(begins('request 4', p_limit => 3), 'begun', 'an expired one makes room');
select isnt(receives('request 2'), null, 'one that comes back');
select isnt(takes('request 2'), null, 'and is completed');
select is(
  (select return_to from public.oauth_receive_authorization_response('request 3', 'pipedrive', null, null)), '/settings',
  'one that is denied'
);
select is(begins('request 5', p_limit => 3), 'too_many', 'count like any other');
select request_expires('request 2');
select is(begins('request 5', p_limit => 3), 'begun', 'until they expire');

-- What is over is cleared away

select is(public.oauth_purge(10), 0, 'what has just expired may still be on its way to be stored');
update oauth.authorization_requests set expires_at = expires_at - interval '2 minutes' where expires_at <= clock_timestamp();
select is(public.oauth_purge(10), 2, 'what has expired two minutes ago is deleted');
select set_eq(
  'select id from oauth.authorization_requests',
  array['request 3', 'request 4', 'request 5', 'his'], 'and nothing else'
);
update oauth.authorization_requests set expires_at = clock_timestamp() - interval '2 minutes' where user_id = alice();
select is(public.oauth_purge(2), 2, 'so many at a time');
select is(public.oauth_purge(3), 1, 'until none is left');

select * from finish();
rollback;
