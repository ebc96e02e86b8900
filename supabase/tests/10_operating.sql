-- What whoever runs the project can switch on: the schedule and the live events. Here where their extensions are not.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(8);

select case when to_regclass('cron.job') is null then
  throws_matching('select oauth.schedule_sweep()', 'extensions that this database does not have:.*pg_cron',
    'scheduling without pg_cron is refused in words that name it')
else skip('pg_cron is here') end;
select case when to_regclass('cron.job') is null then
  throws_ok('select oauth.schedule_sweep()', '0A000', null, 'as a feature that is not there')
else skip('pg_cron is here') end;
select case when to_regclass('cron.job') is null then
  is(oauth.unschedule_sweep(), false, 'unscheduling finds nothing to end')
else skip('pg_cron is here') end;
select case when to_regclass('realtime.messages') is null then
  throws_ok('select oauth.start_live_events()', '0A000', null, 'live events without Realtime are refused as well')
else skip('Realtime is here') end;
select case when to_regclass('realtime.messages') is null then
  lives_ok('select oauth.stop_live_events()', 'stopping them finds nothing to end')
else skip('Realtime is here') end;

-- The server has no part in any of it: it could neither own the job nor read Vault.
set local role service_role;
select throws_ok('select oauth.schedule_sweep()', '42501', null, 'the server cannot schedule');
select throws_ok('select oauth.request_sweep(1000)', '42501', null, 'nor call the sweep through the database');
select throws_ok('select oauth.cron_secret_key()', '42501', null, 'nor read its key');

select * from finish();
rollback;
