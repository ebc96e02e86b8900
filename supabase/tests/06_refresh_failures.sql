-- What a refresh that fails means: when the next may try, and when the user must.
begin;
\ir helpers.psql
select plan(94);
-- What was written before that lies ahead.
create function clock_is_set_back(p_time interval) returns void language sql as $$
  update oauth.connections
     set lease_until = lease_until + p_time, unsettled_until = unsettled_until + p_time,
         next_attempt_at = next_attempt_at + p_time, forced_until = forced_until + p_time,
         claimed_at = claimed_at + p_time, refreshed_at = refreshed_at + p_time
   where id = hers()
$$;

select as_server();

select is(connects(), 1::bigint, 'Alice is connected');
select is(news(), '{connected 1}', 'which is recorded');

-- A failure that may pass

select elapse('1 hour');
select is(claims('first', 1), 'claimed 1', 'the token expires again');
select is(fails('first', 'transient', 'http_503', 7000), 'retry', 'the provider is not available');
select ok(
  claims('hasty', 1) = 'backoff 1' and (answer('hasty')).retry_in_ms between 6000 and 7000,
  'nobody asks before the time the provider gave'
);
select is(fails('first', 'transient', 'http_503', 60000), 'superseded', 'the failure repeated changes nothing');
select is(claims('forcing', 1, true), 'backoff 1', 'force does not hurry it');
select is((connection()).failure_code, 'http_503', 'the row has the reason');
select is((connection()).unsettled_until, null, 'nothing is unsettled');
select is(news(), '{refresh_failed 1 http_503}', 'and an event, too');
select elapse('7 s');
select is(claims('second', 1), 'claimed 1', 'then the next may ask');
select is((connection()).attempts, 2, 'for the second time');
select is((connection()).unsettled_until, null, 'a lease that was given back is not taken over');
select is(
  fails('second', 'transient', 'Sorry, your refresh token abc123 is …'), 'retry', 'the provider says something of its own'
);
select is(news(), '{refresh_failed 1 unrecognized}', 'which is not repeated');
select is((connection()).failure_code, 'unrecognized', 'nowhere');
select ok(
  (connection()).next_attempt_at <= clock_timestamp() + interval '2 s', 'without a time given, two attempts wait 2 s at most'
);
update oauth.connections set attempts = 2000 where id = hers();
select elapse('2 s');
select is(claims('third', 1), 'claimed 1', 'after very many attempts');
select is(fails('third', 'transient', 'http_503'), 'retry', 'which all failed');
select ok(
  (connection()).next_attempt_at <= clock_timestamp() + interval '1 minute', 'the next one is a minute off at most'
);
select throws_ok($$ select fails('third', 'other') $$, '22023', null, 'a class nobody knows is refused');
select throws_ok($$ select fails('third', null) $$, '22023', null, 'so is none');
select is((connection()).status, 'active', 'after all of that the connection is as it was');
select elapse('1 minute');
select is(claims('fourth', 1), 'claimed 1', 'and the next attempt');
select is(commits('fourth', 1, '2'), 'committed 2', 'succeeds');
select is((connection()).failure_code, null, 'the reason of old failures is forgotten');
select is(news(), '{refresh_failed 1 http_503,refreshed 2}', 'but not by the history');

-- A refusal is final when nobody can bring a newer token

select elapse('1 hour');
select is(claims('first', 2), 'claimed 2', 'the token expires again');
select is(fails('first', 'permanent', 'invalid_grant'), 'reauthorization_required', 'the provider refuses the refresh token');
select is((connection()).status, 'reauthorization_required', 'the user must connect again');
select is(news(), '{reauthorization_required 2 grant_refused}', 'no answer was missed: the grant was withdrawn');
select is((connection()).failure_code, 'grant_refused', 'the row has the reason');
select is(claims('second', 2), 'reauthorization_required 2', 'nobody asks any more');
select is((answer('second')).tokens, '', 'nor gets a token');
select is((select status from public.oauth_peek(hers(), null, -1)), 'reauthorization_required', 'a peek tells it');
select is(commits('first', 2, '3'), 'committed 3', 'a success that arrives after all revives the connection');
select is((connection()).status, 'active', 'it is active');
select is((connection()).failure_code, null, 'without a reason of failure');
select is(news(), '{recovered 3}', 'an event tells of that');

-- A holder that vanished

select elapse('1 hour');
select is(claims('paused', 3), 'claimed 3', 'a holder is paused with the lease');
select elapse('26 s');
select is(claims('next', 3), 'claimed 3', 'when the lease has run out it is taken over');
select is((connection()).attempts, 2, 'it is the second attempt');
select ok(
  (connection()).unsettled_until between clock_timestamp() + interval '25 s' and clock_timestamp() + interval '30 s',
  'the first is unsettled: its success may still come'
);
select is(fails('paused', 'permanent', 'invalid_grant'), 'superseded', 'its failure does not count any more');
select is((connection()).lease_id, (answer('next')).lease_id, 'and does not end the lease of the next');
select is(
  fails('next', 'permanent', 'invalid_grant'), 'retry', 'that the next is refused is not final while it may come'
);
select ok(
  (connection()).next_attempt_at = (connection()).unsettled_until, 'it will be known when the first is settled'
);
select is(news(), '{refresh_failed 3 invalid_grant}', 'the refusal is recorded as a failure');
select is(claims('impatient', 3), 'backoff 3', 'until then nobody asks');
select is(commits('paused', 3, '4'), 'committed 4', 'it comes, and is stored though the lease is gone');
select ok(is_unleased(), 'nothing is unsettled any more');
select is(news(), '{refreshed 4}', 'an event tells of it');

-- A success that comes during the next holder's attempt

select elapse('1 hour');
select is(claims('paused', 4), 'claimed 4', 'again a holder is paused');
select elapse('26 s');
select is(claims('next', 4), 'claimed 4', 'and overtaken');
select is(commits('paused', 4, '5'), 'committed 5', 'its success is stored while the next is asking');
select is(fails('next', 'permanent', 'invalid_grant'), 'superseded', 'that the next is refused does not matter');
select is(commits('next', 4, 'x'), 'superseded 5', 'nor would its success');
select is((connection()).status, 'active', 'the connection lives');

-- A holder that never comes back

select elapse('1 hour');
select is(claims('crashed', 5), 'claimed 5', 'a holder crashes');
select elapse('26 s');
select is(claims('next', 5), 'claimed 5', 'and is overtaken');
select is(fails('next', 'permanent', 'invalid_grant'), 'retry', 'the next is refused');
select elapse('31 s');
select is(claims('last', 5), 'claimed 5', 'when nothing can come any more another asks');
select is(news(), '{refreshed 5,refresh_failed 5 invalid_grant}', 'so far all is recorded');
select is(fails('last', 'permanent', 'invalid_grant'), 'reauthorization_required', 'and its refusal is final');
select is(news(), '{reauthorization_required 5 rotation_lost}', 'an answer was missed: we may have lost the token');
select is(commits('crashed', 5, '6'), 'committed 6', 'even after that its success would be stored');
select is(news(), '{recovered 6}', 'and the connection recovered');

-- An answer that was lost

select elapse('1 hour');
select is(claims('first', 6), 'claimed 6', 'the token expires again');
select is(fails('first', 'ambiguous', 'timeout'), 'retry', 'the provider''s answer is lost');
select ok((connection()).unsettled_until <= clock_timestamp(), 'that is marked, but nobody waits for it');
select elapse('1 s');
select is(claims('second', 6), 'claimed 6', 'another asks');
select is(fails('second', 'transient', 'http_429'), 'retry', 'is turned away');
select isnt((connection()).unsettled_until, null, 'which leaves the mark');
select elapse('2 s');
select is(claims('third', 6), 'claimed 6', 'a third asks');
select is(fails('third', 'permanent', 'invalid_grant'), 'reauthorization_required', 'and is refused');
select is((connection()).failure_code, 'rotation_lost', 'the answer that was lost may have had the token');
select is(connects('7'), 7::bigint, 'Alice connects again');
select is(
  news(), '{refresh_failed 6 timeout,refresh_failed 6 http_429,reauthorization_required 6 rotation_lost,connected 7}',
  'which is all recorded'
);

-- The database's clock was set back: what was to last for seconds lies an hour ahead

select elapse('1 hour');
select is(claims('holder', 7), 'claimed 7', 'the token expires, and a holder has the lease');
select clock_is_set_back('1 hour');
select is(
  (select busy_ms from public.oauth_peek(hers(), null, 7)), 120000::bigint,
  'no lease is told to last for longer than the longest'
);
select is(claims('next', 7), 'busy 7', 'a holder that may live is not overtaken');
select ok(
  (answer('next')).retry_in_ms between 20000 and 25000 and (connection()).lease_until < clock_timestamp() + interval '25 s',
  'but its lease has the usual length from now'
);
select elapse('26 s');
select is(claims('next', 7), 'claimed 7', 'then it is taken over');
select clock_is_set_back('1 hour');
select is(fails('next', 'permanent', 'invalid_grant'), 'retry', 'a refusal is not final while the first may still succeed');
select is(claims('third', 7), 'claimed 7', 'a back-off from before the clock was set back is over');
select ok(
  (connection()).unsettled_until between clock_timestamp() + interval '25 s' and clock_timestamp() + interval '30 s',
  'and the first has the usual settle time from now'
);
select is(fails('third', 'transient', 'http_503', 7000), 'retry', 'the provider is not available');
select is(claims('fourth', 7), 'backoff 7', 'a back-off from afterwards holds');
update oauth.connections set next_attempt_at = clock_timestamp() + interval '25 hours' where id = hers();
select is(claims('fourth', 7), 'claimed 7', 'but not one of more than a day');
update oauth.connections
   set lease_until = clock_timestamp() + interval '121 s', forced_until = clock_timestamp() + interval '11 minutes'
 where id = hers();
select is(claims('fifth', 7), 'busy 7', 'of a lease that is longer than any');
select ok((connection()).lease_until < clock_timestamp() + interval '25 s', 'only the usual length is believed');
select is((connection()).forced_until, null, 'an allowance that is overdrawn by more than there is counts as full');
select is(commits('fourth', 7, '8'), 'committed 8', 'the holder commits');
select clock_is_set_back('1 hour');
select is(claims('forcing', 8, true), 'claimed 8', 'nor does what was stored in the future stand in the way');

select * from finish();
rollback;
