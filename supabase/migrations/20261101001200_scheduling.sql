-- Scheduled keeping: pg_cron calls the sweep through pg_net, with a project URL and a key that Vault keeps.
--
-- Nothing here is scheduled by applying it, and it applies where none of the three extensions is. Whoever runs the
-- project asks for it once: select oauth.schedule_sweep(). All of it is for the owner of these functions alone, the role
-- that also owns the job: service_role has no part in it, and could not read Vault.

create function oauth.vault_setting(p_name text, p_form text, p_example text)
returns text
language plpgsql
stable
security invoker
set search_path = ''
set lock_timeout = '2s'
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

revoke execute on function oauth.vault_setting(text, text, text) from public, anon, authenticated, service_role;

comment on function oauth.vault_setting(text, text, text) is
  'A secret of Vault by its name, if it has the expected form. No error of it repeats the value.';

create function oauth.project_url()
returns text
language sql
stable
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
  -- Plain http only for this machine and for the names that containers have for it: the request carries a key.
  select rtrim(oauth.vault_setting(
    'project_url',
    '^(https://[a-z0-9][a-z0-9.-]*|http://(localhost|127\.0\.0\.1|kong|host\.docker\.internal))(:[0-9]{1,5})?/?$',
    'https://<project>.supabase.co'
  ), '/');
$$;

revoke execute on function oauth.project_url() from public, anon, authenticated, service_role;

comment on function oauth.project_url() is 'Where the functions are, from Vault.';

create function oauth.cron_secret_key()
returns text
language sql
stable
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
  select oauth.vault_setting('cron_secret_key', '^sb_secret_[A-Za-z0-9_-]+$', 'sb_secret_…');
$$;

revoke execute on function oauth.cron_secret_key() from public, anon, authenticated, service_role;

comment on function oauth.cron_secret_key() is
  'The secret key that is the schedule''s own, from Vault: pg_net''s queue shows it to other roles for a moment, so it must open nothing that cannot be revoked alone.';

create function oauth.request_sweep(p_timeout_ms integer)
returns bigint
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
begin
  -- pg_cron never forgets a run by itself. Only this job's, and none of them is looked at after a week.
  delete from cron.job_run_details d
   using cron.job j
   where j.jobname = 'oauth-sweep'
     and d.jobid = j.jobid
     and d.end_time < now() - interval '7 days';
  return net.http_post(
    url := oauth.project_url() || '/functions/v1/refresh-token',
    body := '{}'::jsonb,
    headers := jsonb_build_object('content-type', 'application/json', 'apikey', oauth.cron_secret_key()),
    timeout_milliseconds := p_timeout_ms
  );
end;
$$;

revoke execute on function oauth.request_sweep(integer) from public, anon, authenticated, service_role;

comment on function oauth.request_sweep(integer) is
  'What the scheduled job runs: hands POST /refresh-token {} to pg_net. The key goes from Vault to the queue; the job, its log and its errors hold none.';

create function oauth.schedule_sweep(p_schedule text default '*/5 * * * *', p_timeout_ms integer default 10000)
returns bigint
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
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
  perform oauth.project_url(), oauth.cron_secret_key();
  -- A job of this name and owner is replaced.
  return cron.schedule('oauth-sweep', p_schedule, format('select oauth.request_sweep(%s)', p_timeout_ms));
end;
$$;

revoke execute on function oauth.schedule_sweep(text, integer) from public, anon, authenticated, service_role;

comment on function oauth.schedule_sweep(text, integer) is
  'Has the sweep called on this schedule (every five minutes), or changes the schedule. p_timeout_ms is how long pg_net waits for the answer; the sweep ends its work without it. Returns the job''s id.';

create function oauth.unschedule_sweep()
returns boolean
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_job_id bigint;
  v_found boolean := false;
begin
  if to_regclass('cron.job') is null then
    return false;
  end if;
  for v_job_id in select j.jobid from cron.job j where j.jobname = 'oauth-sweep' loop
    perform cron.unschedule(v_job_id);
    v_found := true;
  end loop;
  return v_found;
end;
$$;

revoke execute on function oauth.unschedule_sweep() from public, anon, authenticated, service_role;

comment on function oauth.unschedule_sweep() is 'Ends the schedule. False: there was none.';
