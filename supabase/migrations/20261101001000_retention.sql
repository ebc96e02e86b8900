-- How long events are kept: history that grows with every refresh ends some day, and what explains a connection stays.
--
-- An event knows its own time from the start, so that nobody can forget to ask for it: the server may delete what is
-- past its time and nothing else.

create function oauth.kept_until(p_kind text, p_code text, p_created_at timestamptz)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
  -- In hours, not days: a day's length depends on the time zone, and this must not.
  select p_created_at + case
    -- 90 days for what repeats. A refresh that changed the scope has a code and does not.
    when p_kind = 'refresh_failed' or (p_kind = 'refreshed' and p_code is null) then interval '2160 hours'
    -- Two years for what was granted, lost or ended.
    else interval '17520 hours'
  end;
$$;

revoke execute on function oauth.kept_until(text, text, timestamptz) from public, anon, authenticated;
grant execute on function oauth.kept_until(text, text, timestamptz) to service_role;

comment on function oauth.kept_until(text, text, timestamptz) is
  'When an event may be deleted: 90 days after a refresh or a failed one, two years after anything else.';

alter table oauth.events
  add column kept_until timestamptz not null
  generated always as (oauth.kept_until(kind, code, created_at)) stored;

comment on column oauth.events.kept_until is
  'Before this time nobody deletes the event by itself; with its connection or its user it goes at any time.';

create index events_kept_until_idx on oauth.events (kept_until);

create function oauth.keep_event()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  if old.kept_until > clock_timestamp() then
    raise exception 'This event is kept until %', old.kept_until using errcode = '42501';
  end if;
  return old;
end;
$$;

revoke execute on function oauth.keep_event() from public, anon, authenticated;
grant execute on function oauth.keep_event() to service_role;

comment on function oauth.keep_event() is
  'Refuses to delete an event before its time, as if the right to delete it had not been granted.';

-- Depth 0: the statement itself. What a connection or a user takes along is deleted by a trigger of its own.
create trigger events_are_kept
  before delete on oauth.events
  for each row when (pg_catalog.pg_trigger_depth() = 0)
  execute function oauth.keep_event();

grant delete on oauth.events to service_role;

create function public.oauth_purge(p_limit integer)
returns integer
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_events integer;
  v_requests integer;
begin
  -- Two sweepers do not queue for the same rows: what one leaves, the next sweep takes. Events are not locked one by
  -- one, because that needs the right to change them, and nobody has it.
  if not pg_try_advisory_xact_lock(hashtextextended('oauth_purge', 0)) then
    return 0;
  end if;
  delete from oauth.events e
   where e.id in (
     select o.id
       from oauth.events o
      where o.kept_until <= clock_timestamp()
      order by o.kept_until
      limit coalesce(p_limit, 0)
   );
  get diagnostics v_events = row_count;
  delete from oauth.authorization_requests r
   where r.id in (
     select e.id
       from oauth.authorization_requests e
      where e.expires_at <= clock_timestamp()
      order by e.expires_at
      limit coalesce(p_limit, 0)
      -- One that is just being completed is left to the next sweep, not waited for.
        for update skip locked
   );
  get diagnostics v_requests = row_count;
  return v_events + v_requests;
end;
$$;

revoke execute on function public.oauth_purge(integer) from public, anon, authenticated;
grant execute on function public.oauth_purge(integer) to service_role;

comment on function public.oauth_purge(integer) is
  'Deletes events whose time has passed and requests that have expired, up to p_limit of each, the longest past first. Returns how many.';
