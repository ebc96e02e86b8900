-- A token request that is refused without an error code: nobody says whether the grant or our client is at fault. What
-- becomes of others that are sent with the same client tells.
begin;
\ir helpers.psql
select plan(46);

-- Sent as client "id", with an id, secret and endpoint whose fingerprint this is.
create function is_refused(
  p_holder text default 'holder', p_sent_with text default 'now', p_client_id text default 'id',
  p_access_refused boolean default false
) returns text language plpgsql as $$
declare
  v_claim text := claims(p_holder, (connection()).version);
  v_failure record;
begin
  v_failure := public.oauth_fail_refresh(
    hers(), (answer(p_holder)).lease_id, 'unexplained', 30000, 'config_status_400', p_client_id, p_sent_with,
    p_access_refused
  );
  return v_claim || ', ' || v_failure.outcome || case when v_failure.counts then ' counts' else '' end;
end;
$$;
-- Another connection is refreshed; it takes so long.
create function another_is_accepted(p_sent_with text default 'now', p_took interval default '1 s') returns void
language sql as $$
  update oauth.connections
     set refreshed_at = clock_timestamp(), client_fingerprint = p_sent_with, committed_lease_id = gen_random_uuid(),
         refresh_ms = extract(epoch from p_took) * 1000
   where id = his()
$$;
-- Time passes for both.
create function time_passes(p_time interval) returns void language sql as $$
  select elapse(p_time, c.id) from oauth.connections c;
  update oauth.connections set refused_at = refused_at - p_time
$$;
-- An expired connection that was issued to client "id" and refused twice, another accepted since, eleven minutes ago.
create function begin_anew(p_token text) returns void language sql as $$
  select connects(p_token);
  update oauth.connections
     set client_id = 'id', access_expires_at = clock_timestamp() - interval '1 s',
         refresh_after = clock_timestamp() - interval '1 minute',
         refused_at = clock_timestamp() - interval '11 minutes', refusals = 2, refused_fingerprint = 'now'
   where id = hers();
  select another_is_accepted()
$$;

select as_server();
select connects('1', his(), bob(), '7:2');
select connects();
update oauth.connections set client_id = 'id' where id = hers();
select is(news(), '{connected 1}', 'Alice is connected');

-- It counts against the connection once another was accepted

select time_passes('1 hour');
select another_is_accepted();
select time_passes('1 s');
select is(is_refused(), 'claimed 1, retry', 'that another was accepted before tells nothing');
select is(concat_ws(' ', (connection()).refusals, (connection()).refused_fingerprint), '1 now', 'the refusal is noted');
select is(news(), '{refresh_failed 1 config_status_400}', 'as one of the operator''s');
select time_passes('4 minutes');
select is(is_refused(), 'claimed 1, retry', 'refused again, with no other accepted since, it is still the operator''s');
select time_passes('4 minutes');
select another_is_accepted('other');
select is(is_refused(), 'claimed 1, retry', 'so it is where another was accepted by other means');
select time_passes('1 minute');
select another_is_accepted(p_took => '9 minutes 1 s');
select is(is_refused(), 'claimed 1, retry', 'or by a request that was sent before the first refusal');
select time_passes('1 minute');
update oauth.connections
   set refreshed_at = (connection()).refused_at + interval '59 s', committed_lease_id = null, refresh_ms = null
 where id = his();
select is(is_refused(), 'claimed 1, retry', 'or by connecting, within a minute of it');
select time_passes('1 minute');
update oauth.connections
   set refreshed_at = clock_timestamp(), committed_lease_id = gen_random_uuid(), refresh_ms = null
 where id = his();
select is(is_refused(), 'claimed 1, retry', 'or by what came late, of which it is not known when it was sent');
select is((connection()).status, 'active', 'after eleven minutes and six refusals nothing has changed');
select time_passes('1 minute');
select another_is_accepted();
select is(news(), array_fill('refresh_failed 1 config_status_400'::text, array[5]), 'and all was called the operator''s');
update oauth.connections set refusals = 1 where id = hers();
select is(is_refused(), 'claimed 1, retry counts', 'once another was accepted by the same means it counts');
select is(news(), '{refresh_failed 1 refused_without_code}', 'and is called by its name');
select time_passes('1 minute');
select is(is_refused(), 'claimed 1, reauthorization_required counts', 'the third ends the connection');
select is(news(), '{reauthorization_required 1 refused_without_code}', 'an event tells why');
select is(
  concat_ws(' ', (connection()).status, (connection()).failure_code), 'reauthorization_required refused_without_code',
  'so does the row'
);
select ok(
  (connection()).erase_after between clock_timestamp() + interval '167 hours' and clock_timestamp() + interval '168 hours',
  'its tokens are kept for seven days'
);
select isnt(tokens(), null, 'they are still there');

-- An operator who finds that it was a mistake

select as_operator();
select is(oauth.reactivate(his()), false, 'a connection that is active is not brought back');
select is(oauth.reactivate(hers()), true, 'the ended one is');
select is(
  concat_ws(' ', (connection()).status, (connection()).version, (connection()).refusals, (connection()).erase_after),
  'active 2 0', 'it is active, as if it had not been refused'
);
select is(news(), '{recovered 2}', 'which is told');
select as_server();
select is(claims('next', 2), 'claimed 2', 'and is refreshed with the tokens that it had');
select is((answer('next')).tokens, 'v1.k1.iv.access-1 v1.k1.iv.refresh-1', 'which are the same');
select is(fails('next', 'permanent', 'invalid_grant'), 'reauthorization_required', 'if they are refused with a code');
select ok(
  (connection()).erase_after between clock_timestamp() and clock_timestamp() + interval '1 minute',
  'they are kept for no more than a minute'
);
select as_operator();
select is(oauth.reactivate(hers()), false, 'and there is nothing to bring back');
select as_server();

-- Each part of the rule

select begin_anew('3');
select is(is_refused(), 'claimed 3, reauthorization_required counts', 'with all of it the third refusal is final');
select begin_anew('4');
select is(is_refused(p_client_id => 'swapped'), 'claimed 4, retry', 'not of a connection of another client');
select begin_anew('5');
update oauth.connections set client_id = null where id = hers();
select is(is_refused(), 'claimed 5, retry', 'nor of one of which that is not known');
select begin_anew('6');
select is(is_refused(p_sent_with => 'old'), 'claimed 6, retry', 'nor where it was sent with an old secret');
select is((connection()).refusals, 1, 'which begins to count anew');
select begin_anew('7');
select is(is_refused(p_sent_with => null), 'claimed 7, retry', 'nor where it is not said how it was sent');
select begin_anew('8');
update oauth.connections set refusals = 1 where id = hers();
select is(is_refused(), 'claimed 8, retry counts', 'nor the second');
select begin_anew('9');
update oauth.connections set refused_at = clock_timestamp() - interval '599 s' where id = hers();
select is(is_refused(), 'claimed 9, retry counts', 'nor within ten minutes');
select begin_anew('10');
update oauth.connections set refused_at = clock_timestamp() + interval '1 hour' where id = hers();
select is(is_refused(), 'claimed 10, retry', 'nor after a first that lies ahead, because the clock was set back');
select is((connection()).refusals, 1, 'which begins to count anew, too');
select begin_anew('11');
update oauth.connections set access_expires_at = clock_timestamp() + interval '1 minute' where id = hers();
select is(is_refused(), 'claimed 11, retry counts', 'nor while the access token lives');
select begin_anew('12');
update oauth.connections set access_expires_at = clock_timestamp() + interval '1 minute' where id = hers();
select is(
  is_refused(p_access_refused => true), 'claimed 12, reauthorization_required counts', 'but where the API has refused that'
);
select begin_anew('13');
update oauth.connections set unsettled_until = clock_timestamp() + interval '30 s' where id = hers();
select is(is_refused(), 'claimed 13, retry counts', 'nor while an earlier attempt may still succeed');
select begin_anew('14');
update oauth.connections set provider = 'other' where id = his();
select is(is_refused(), 'claimed 14, retry', 'nor where another provider accepted');
update oauth.connections set provider = 'pipedrive' where id = his();
select begin_anew('15');
update oauth.connections set client_fingerprint = 'now' where id = hers();
update oauth.connections set client_fingerprint = null where id = his();
select is(is_refused(), 'claimed 15, retry', 'nor where none but itself was accepted');
select begin_anew('16');
select is(claims('stale', 16), 'claimed 16', 'from who is not the holder any more');
select is(connects('17'), 17::bigint, 'because Alice has connected again');
select is(
  (select outcome || counts from public.oauth_fail_refresh(
    hers(), (answer('stale')).lease_id, 'unexplained', 30000, 'config_status_400', 'id', 'now', false
  )), 'supersededfalse', 'it changes nothing'
);
select is((connection()).refusals, 0, 'and is not noted');

select * from finish();
rollback;
