-- How long history is kept: what repeats for 90 days, what was granted, lost or ended for two years; and nobody deletes
-- an event before its time. And how long tokens are that nothing can refresh any more.
begin;
\ir helpers.psql
select plan(35);

-- Her refresh was refused for good; her tokens may be erased after this time.
create function ended(p_erase_after interval) returns void language sql as $$
  update oauth.connections set status = 'reauthorization_required', erase_after = now() + p_erase_after where id = hers()
$$;

select as_server();
select is(connects(), 1::bigint, 'the server connects Alice');
select is(connects('1', his(), bob()), 1::bigint, 'and Bob');
select is(public.oauth_purge(1000), 0, 'nothing of it is old enough to go');

-- What each kind is worth

select is(
  oauth.kept_until(kind, code, '2026-01-01 00:00:00+00') - timestamptz '2026-01-01 00:00:00+00', kept,
  format('%s%s is kept for %s days', kind, ' (' || code || ')', extract(epoch from kept) / 86400)
)
from (values
  ('refreshed', null, interval '2160 hours'),
  ('refresh_failed', 'timeout', '2160 hours'),
  ('refreshed', 'scope_widened', '17520 hours'),
  ('connected', null, '17520 hours'),
  ('reauthorization_required', 'grant_refused', '17520 hours'),
  ('recovered', null, '17520 hours'),
  ('disconnected', null, '17520 hours'),
  ('uninstalled', null, '17520 hours'),
  ('revocation_abandoned', null, '17520 hours')
) as e (kind, code, kept);

-- Time passes

select as_operator();
insert into oauth.events (connection_id, user_id, kind, version, created_at)
select hers(), alice(), 'refreshed', version, now() - interval '2160 hours' - version * interval '1 hour'
  from generate_series(2, 6) version;
insert into oauth.events (connection_id, user_id, kind, version, created_at)
values (hers(), alice(), 'refreshed', 7, now() - interval '2159 hours');

select as_server();
select is(public.oauth_purge(3), 3, 'no more go at once than was asked for');
select is(history(), '{connected 1,refreshed 2,refreshed 3,refreshed 7}', 'the longest past goes first');
select is(public.oauth_purge(1000), 2, 'the next sweep takes the rest');
select is(history(), '{connected 1,refreshed 7}', 'and leaves what is not 90 days old');
select is(public.oauth_purge(0), 0, 'a sweep of nothing deletes nothing');
select is(public.oauth_purge(null), 0, 'nor does one without a number');

-- Nobody may help time along

select throws_ok(
  $$ delete from oauth.events where kind = 'refreshed' $$, '42501', null,
  'the server cannot delete an event before its time'
);
select throws_ok(
  $$ insert into oauth.events (connection_id, user_id, kind, version, created_at, kept_until)
     values (hers(), alice(), 'connected', 8, now(), now()) $$,
  '428C9', null, 'nor say itself how long one is kept'
);

-- The tokens of a connection that its user has to connect again

select is(connects(), 2::bigint, 'Alice connects again');
select elapse('1 hour');
select is(claims('late', 2), 'claimed 2', 'and a refresh is under way');
update oauth.connections set lease_id = null, lease_until = null where id = hers();
select ended('1 minute');
select is(public.oauth_purge(1000), 0, 'while somebody may still bring newer tokens, these are kept');
select ended('0');
select is(public.oauth_purge(0), 0, 'a sweep of nothing erases nothing');
select is(public.oauth_purge(1000), 1, 'after that they are erased');
select is(concat((connection()).status, tokens()), 'reauthorization_required', 'the connection stays');
select is(public.oauth_purge(1000), 0, 'once');
select is(commits('late', 2, '3'), 'committed 3', 'a late answer is taken even so');
select is((connection()).status, 'active', 'and brings it back');
select ended('0');
select is(public.oauth_purge(1000), 1, 'ended again, it is erased again');
select is(disconnects(), 'disconnected', 'and disconnecting it');
select is_empty('select from oauth.revocations', 'leaves nothing to revoke');

insert into oauth.uninstallations
values ('pipedrive', '1', now(), now() - interval '25 hours'), ('pipedrive', '2', now(), now());
select is(public.oauth_purge(1000), 0, 'a sweep');
select results_eq(
  'select account_key from oauth.uninstallations', array['2'], 'forgets what was uninstalled more than a day ago'
);

-- What belongs to a user goes with the user

select as_operator();
delete from auth.users where id = alice();
select results_eq(
  'select user_id from oauth.events', 'values (bob())', 'a user who leaves takes all history along, whatever its age'
);

select * from finish();
rollback;
