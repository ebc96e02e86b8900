-- What is left to be revoked when a connection ends, who revokes, and until when.
begin;
\ir helpers.psql
select plan(80);
select as_server();

-- The way it should go

select is(connects('1'), 1::bigint, 'Alice connects');
select is(revokes(), null, 'nothing is to be revoked');
select is(disconnects(), 'disconnected', 'she disconnects');
select is(pending(), 'v1.k1.iv.refresh-1', 'her refresh token is left');
select is(revokes(p_limit => 0), null, 'who asks for none gets none');
select is(revokes(p_key_ids => '{k2}'), null, 'who has another key gets none');
select is(revokes(named('other')), null, 'nor who asks for another connection''s');
select is(revokes(hers()), '{claimed v1.k1.iv.refresh-1}', 'it is handed out to be revoked');
select is(revokes(), null, 'once');
select is(
  (select provider || ' ' || account_key || ' ' || key_id || ' ' || attempts from oauth.revocations), 'pipedrive 7:1 k1 1',
  'what is needed for another try stays'
);
select lives_ok(
  $$ select public.oauth_finish_revocation(hers(), 'v1.k1.iv.refresh-other') $$, 'another token was revoked'
);
select isnt(pending(), null, 'which does not count for this one');
select lives_ok($$ select public.oauth_finish_revocation(hers(), 'v1.k1.iv.refresh-1') $$, 'this one was revoked');
select is(pending(), null, 'it is erased');
select is(disconnects(), 'disconnected', 'disconnecting again');
select is(pending(), null, 'leaves nothing');
select throws_ok(
  $$ insert into oauth.revocations values (hers(), 'pipedrive', '7:1', 'v1.k1.iv.x', 'k2', 0, now(), now()) $$,
  '23514', null, 'no row names another key than its seal'
);

-- It fails, and is tried again, less and less often

select is(connects('2'), 3::bigint, 'Alice connects again');
select is(disconnects(), 'disconnected', 'and disconnects');
create temporary table tries (n integer, minutes numeric);
grant all on tries to service_role;
do $$
begin
  for n in 1..11 loop
    perform oauth_tests.revokes();
    insert into tries select n, round(extract(epoch from next_attempt_at - clock_timestamp()) / 60) from oauth.revocations;
    update oauth.revocations set next_attempt_at = clock_timestamp();
  end loop;
end $$;
select is(
  (select array_agg(minutes order by n) from tries), '{1,2,4,8,16,32,64,128,256,360,360}',
  'a minute, doubled, up to six hours'
);
update oauth.revocations set next_attempt_at = clock_timestamp() + interval '7 hours';
select is(
  revokes(), '{claimed v1.k1.iv.refresh-2}', 'a later time than any is of a clock that was set back: it is due'
);

-- Given up

select revocation_waits('168 hours');
select is(revokes(p_key_ids => '{}'), '{abandoned}', 'after seven days it is given up, under whatever key');
select is(pending(), null, 'and erased');
select is((news())[5], 'revocation_abandoned 4', 'its owner is told');
select is(revokes(), null, 'once');

-- Connecting the account again deletes what is left of it, whoever does

select is(connects('3'), 5::bigint, 'Alice connects again');
select is(disconnects(), 'disconnected', 'and disconnects');
select is(connects('4'), 7::bigint, 'and connects');
select is(pending(), null, 'nothing of before is to be revoked');
select is(disconnects(), 'disconnected', 'she disconnects');
select is(connects('his', his(), bob(), '8:1'), 1::bigint, 'Bob connects another account');
select isnt(pending(), null, 'which is no reason to forget hers');
select is(connects('his', named('his second'), bob()), 1::bigint, 'he connects hers');
select is(pending(), null, 'which is: revoking would end his authorization');

-- The last one to leave revokes

select is(connects('5'), 9::bigint, 'Alice connects it too');
select is(disconnects(), 'disconnected', 'she leaves first');
select is(pending(), 'v1.k1.iv.refresh-5', 'and leaves her token');
select is(revokes(), null, 'while Bob''s connection is active it is not revoked');
select is(pending(), null, 'nor later');
select is(disconnects(named('his second'), bob()), 'disconnected', 'he is the last');
select is(revokes(), '{claimed v1.k1.iv.refresh-his}', 'and revokes');

-- The provider has ended it

select is(connects('6'), 11::bigint, 'Alice connects');
select is(public.oauth_uninstall('pipedrive', '7:1', null), 1, 'and uninstalls at the provider');
select is(pending(), null, 'nothing is to be revoked');
select is(connects('7'), 13::bigint, 'she connects');
select is(disconnects(), 'disconnected', 'and disconnects');
select is(public.oauth_uninstall('pipedrive', '8:1', null), 1, 'a notice about another account');
select isnt(pending(), null, 'changes nothing of hers');
select is(public.oauth_uninstall('pipedrive', '7:1', now() - interval '1 hour'), 0, 'nor one from before');
select isnt(pending(), null, 'she disconnected later');
select is(public.oauth_uninstall('pipedrive', '7:1', null), 0, 'one about hers finds it disconnected');
select is(pending(), null, 'and what was left is over');

-- A refresh is under way

select is(connects('8'), 15::bigint, 'Alice connects');
select elapse('1 hour');
select is(claims('holder', 15), 'claimed 15', 'somebody refreshes');
select is(disconnects(), 'disconnected', 'she disconnects');
select is(revokes(hers()), null, 'the token that is being spent is not revoked');
select ok(
  (select next_attempt_at - clock_timestamp() between interval '50 s' and interval '55 s' from oauth.revocations),
  'until the refresh must have ended'
);
select is(commits('holder', 15, 'late'), 'disconnected 16', 'the refresh brings another');
select is(revokes(hers()), '{claimed v1.k1.iv.refresh-late}', 'which is revoked at once in its place');
select public.oauth_finish_revocation(hers(), 'v1.k1.iv.refresh-late');
select is(commits('holder', 15, 'late'), 'disconnected 16', 'the same commit again, after the revocation');
select is(revokes(hers()), '{claimed v1.k1.iv.refresh-late}', 'revokes again, which the provider does not mind');
select is(commits('holder', 14, 'earlier'), 'disconnected 16', 'what was obtained from an earlier authorization');
select is(pending(), 'v1.k1.iv.refresh-late', 'is forgotten');
select is(connects('9'), 17::bigint, 'she connects');
select elapse('1 hour');
select is(claims('holder', 17), 'claimed 17', 'somebody refreshes');
select is(public.oauth_uninstall('pipedrive', '7:1', null), 1, 'she uninstalls at the provider');
select is(commits('holder', 17, 'late'), 'disconnected 18', 'what the refresh brings');
select is(pending(), null, 'has ended with the rest');

-- Who connects again just now

select is(connects('10'), 19::bigint, 'Alice connects');
select is(disconnects(), 'disconnected', 'and disconnects');
select ok(
  begins('again') = 'begun' and receives('again') is not null and takes('again') is not null, 'and connects again'
);
select is(revokes(), null, 'while her code is exchanged, nothing is revoked that could end what it brings');
select gives_back('again', true);
select is(revokes(), '{claimed v1.k1.iv.refresh-10}', 'it was refused: then it is');

-- A user is deleted

select is(connects('11', named('gone'), p_account_key => '6:6'), 1::bigint, 'Alice connects a second account');
select elapse('1 hour', named('gone'));
select is(claims('holder', 1, p_id => named('gone')), 'claimed 1', 'somebody refreshes it');
select as_operator();
delete from auth.users where id = alice();
select as_server();
select is(pending(named('gone')), 'v1.k1.iv.refresh-11', 'her user is deleted: its token is left to be revoked');
select is(pending(), 'v1.k1.iv.refresh-10', 'what was left before stays');
select is(
  (select outcome from public.oauth_commit_refresh(named('gone'), (answer('holder')).lease_id, 1,
    'v1.k1.iv.access-12', 'v1.k1.iv.refresh-12', 'k1', null, 3600000, 0)), 'disconnected', 'the refresh ends afterwards'
);
select is(pending(named('gone')), 'v1.k1.iv.refresh-12', 'what it brought is revoked in place of what it spent');
select revocation_waits('168 hours', named('gone'));
select is(
  array(select outcome || ' ' || connection_id from public.oauth_claim_revocations('pipedrive', null, 10, '{k1}')),
  array['abandoned ' || named('gone')], 'what is given up of it needs no owner'
);

select * from finish();
rollback;
