-- Operating: what whoever runs the project can switch on. The schedule on which the sweep is called (pg_cron, pg_net
-- and Vault), and the news that an owner's page hears (Realtime).
--
-- Nothing begins by applying this, and it applies where the extensions are not. All of it is for the owner of these
-- functions alone, the role that also owns the job: service_role has no part in it, and could not read Vault.

create function oauth.vault_setting(p_name text, p_form text, p_example text)
returns text
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_value text;
begin
  select s.decrypted_secret into v_value from vault.decrypted_secrets s where s.name = p_name;
  if v_value is null then
    raise exception 'Vault has no secret named "%"', p_name
      using errcode = '55000', hint = format('It must look like %s', p_example);
  end if;
  -- Its name only: what is in there by mistake may be a secret too.
  if v_value !~ p_form then
    raise exception 'The Vault secret "%" does not look like %', p_name, p_example using errcode = '22023';
  end if;
  return v_value;
end;
$$;
revoke execute on function oauth.vault_setting from public, anon, authenticated, service_role;
comment on function oauth.vault_setting is
  'A secret of Vault by its name, if it has the expected form. No error of it repeats the value.';

create function oauth.sweep_request()
returns table (url text, headers jsonb)
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  -- Plain http only for this machine and for the names that containers have for it: the request carries a key.
  url := rtrim(oauth.vault_setting(
    'project_url',
    '^(https://[a-z0-9][a-z0-9.-]*|http://(localhost|127\.0\.0\.1|kong|host\.docker\.internal))(:[0-9]{1,5})?/?$',
    'https://<project>.supabase.co'
  ), '/') || '/functions/v1/refresh-token';
  -- The schedule's own: pg_net's queue shows it to other roles for a moment, so it must open nothing that cannot be
  -- revoked alone.
  headers := jsonb_build_object(
    'content-type', 'application/json',
    'apikey', oauth.vault_setting('cron_secret_key', '^sb_secret_[A-Za-z0-9_-]+$', 'sb_secret_…')
  );
  return next;
end;
$$;
revoke execute on function oauth.sweep_request from public, anon, authenticated, service_role;
comment on function oauth.sweep_request is
  'Where the sweep is called and with which key, from Vault.';

create function oauth.request_sweep(p_timeout_ms integer)
returns bigint
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  -- pg_cron never forgets a run by itself. Only this job's, and none of them is looked at after a week.
  delete from cron.job_run_details d
   using cron.job j
   where j.jobname = 'oauth-sweep'
     and d.jobid = j.jobid
     and d.end_time < now() - interval '7 days';
  return (
    select net.http_post(
      url := r.url,
      body := '{}'::jsonb,
      headers := r.headers,
      timeout_milliseconds := p_timeout_ms
    )
      from oauth.sweep_request() r
  );
end;
$$;
revoke execute on function oauth.request_sweep from public, anon, authenticated, service_role;
comment on function oauth.request_sweep is
  'What the scheduled job runs: hands POST /refresh-token {} to pg_net. The key goes from Vault to the queue; the job, its log and its errors hold none.';

create function oauth.schedule_sweep(p_schedule text default '*/5 * * * *', p_timeout_ms integer default 10000)
returns bigint
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_missing text[] := array_remove(array[
    case when to_regprocedure('cron.schedule(text,text,text)') is null then 'pg_cron' end,
    case when to_regprocedure('net.http_post(text,jsonb,jsonb,jsonb,integer)') is null then 'pg_net' end,
    case when to_regclass('vault.decrypted_secrets') is null then 'supabase_vault' end
  ], null);
begin
  if cardinality(v_missing) > 0 then
    raise exception 'Scheduling needs extensions that this database does not have: %', array_to_string(v_missing, ', ')
      using errcode = '0A000',
            hint = 'Enable them (create extension …), or call POST /refresh-token {} from a scheduler of your own.';
  end if;
  if (p_timeout_ms between 1000 and 60000) is not true then
    raise exception 'p_timeout_ms must be from 1000 to 60000' using errcode = '22023';
  end if;
  -- Found wanting now, while somebody looks, and not every five minutes in a log.
  perform oauth.sweep_request();
  -- A job of this name and owner is replaced.
  return cron.schedule('oauth-sweep', p_schedule, format('select oauth.request_sweep(%s)', p_timeout_ms));
end;
$$;
revoke execute on function oauth.schedule_sweep from public, anon, authenticated, service_role;
comment on function oauth.schedule_sweep is
  'Has the sweep called on this schedule (every five minutes), or changes the schedule. p_timeout_ms is how long pg_net waits for the answer; the sweep ends its work without it. Returns the job''s id.';

create function oauth.unschedule_sweep()
returns boolean
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  if to_regclass('cron.job') is null then
    return false;
  end if;
  perform cron.unschedule(j.jobid) from cron.job j where j.jobname = 'oauth-sweep';
  return found;
end;
$$;
revoke execute on function oauth.unschedule_sweep from public, anon, authenticated, service_role;
comment on function oauth.unschedule_sweep is 'Ends the schedule. False: there was none.';

create function oauth.reactivate(p_id uuid)
returns boolean
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  -- As a write of the tokens that it has: whatever is still under way for the version before comes too late.
  update oauth.connections c
     set status = 'active',
         version = c.version + 1,
         attempts = 0,
         unsettled_until = null,
         next_attempt_at = null,
         committed_lease_id = null,
         failure_code = null,
         refused_at = null,
         refusals = 0,
         refused_fingerprint = null,
         erase_after = null,
         updated_at = clock_timestamp()
   where c.id = p_id
     and c.status = 'reauthorization_required'
     and c.failure_code = 'refused_without_code'
     and exists (select from oauth.token_sets s where s.connection_id = c.id);
  if found then
    perform oauth.record(p_id, 'recovered');
  end if;
  return found;
end;
$$;
revoke execute on function oauth.reactivate from public, anon, authenticated, service_role;
comment on function oauth.reactivate is
  'Brings back a connection that ended by refused_without_code, with the tokens it had. False: it did not, or they are erased.';

-- News by a private broadcast, not by publishing the table. Of a published table Realtime tells every subscriber of
-- every deletion, whosever it was, and reads rows as the subscriber, who would need usage on schema oauth for it. A
-- broadcast has the columns that an owner may read, and one topic for each owner.

create function oauth.announce_event()
returns trigger
language plpgsql security invoker
set search_path = ''
as $$
begin
  perform realtime.send(to_jsonb(e), new.kind, 'oauth_events:' || new.user_id, true)
     from public.oauth_events e
    where e.id = new.id;
  return null;
exception
  -- This runs in the transaction that stores a token which exists nowhere else. No page's news is worth that.
  when others then
    raise warning 'An event was not announced (%)', sqlstate;
    return null;
end;
$$;
revoke execute on function oauth.announce_event from public, anon, authenticated;
grant execute on function oauth.announce_event to service_role;
comment on function oauth.announce_event is
  'Sends an event, as its owner may read it, to the owner''s own topic. Never fails.';

create function oauth.start_live_events()
returns void
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  if to_regprocedure('realtime.send(jsonb,text,text,boolean)') is null
    or to_regprocedure('realtime.topic()') is null
    or to_regclass('realtime.messages') is null
  then
    raise exception 'This database has no Realtime broadcasts' using errcode = '0A000',
      hint = 'Pages can poll the view oauth_events instead.';
  end if;
  -- An event that cannot be sent is only warned of, in a log that nobody reads: said here, where somebody does.
  if not has_function_privilege('service_role', 'realtime.send(jsonb,text,text,boolean)', 'execute')
    or not has_table_privilege('service_role', 'realtime.messages', 'insert')
  then
    raise exception 'service_role, which stores the events, may not send broadcasts' using errcode = '42501';
  end if;
  drop policy if exists "Owners hear the events of their own connections" on realtime.messages;
  create policy "Owners hear the events of their own connections"
    on realtime.messages for select to authenticated
    using (
      extension = 'broadcast'
      and (select realtime.topic()) = 'oauth_events:' || (select auth.uid())::text
    );
  create or replace trigger events_are_announced
    after insert on oauth.events
    for each row execute function oauth.announce_event();
end;
$$;
revoke execute on function oauth.start_live_events from public, anon, authenticated, service_role;
comment on function oauth.start_live_events is
  'From now on every event is broadcast to the private topic oauth_events:<user id>, which only that user may join.';

create function oauth.stop_live_events()
returns void
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  drop trigger if exists events_are_announced on oauth.events;
  if to_regclass('realtime.messages') is not null then
    drop policy if exists "Owners hear the events of their own connections" on realtime.messages;
  end if;
end;
$$;
revoke execute on function oauth.stop_live_events from public, anon, authenticated, service_role;
comment on function oauth.stop_live_events is 'Ends what oauth.start_live_events() began.';
