-- Live events: an owner's page hears of what happens to their connections, where Realtime is on.
--
-- By a private broadcast, not by publishing the table. Of a published table Realtime tells every subscriber of every
-- deletion, whosever it was, and reads rows as the subscriber, who would need usage on schema oauth for it. A broadcast
-- has the columns that are chosen here, and one topic for each owner.
--
-- Nothing is announced by applying this: Realtime may not have been set up yet. Whoever runs the project asks for it
-- once: select oauth.start_live_events().

create function oauth.announce_event()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object(
      'id', new.id,
      'connection_id', new.connection_id,
      'kind', new.kind,
      'version', new.version,
      'code', new.code,
      'scope', new.scope,
      'created_at', new.created_at
    ),
    new.kind,
    'oauth_events:' || new.user_id,
    true
  );
  return null;
exception
  -- This runs in the transaction that stores a token which exists nowhere else. No page's news is worth that.
  when others then
    raise warning 'An event was not announced (%)', sqlstate;
    return null;
end;
$$;

revoke execute on function oauth.announce_event() from public, anon, authenticated;
grant execute on function oauth.announce_event() to service_role;

comment on function oauth.announce_event() is
  'Sends an event, as its owner may read it, to the owner''s own topic. Never fails.';

create function oauth.start_live_events()
returns void
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
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

revoke execute on function oauth.start_live_events() from public, anon, authenticated, service_role;

comment on function oauth.start_live_events() is
  'From now on every event is broadcast to the private topic oauth_events:<user id>, which only that user may join.';

create function oauth.stop_live_events()
returns void
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
begin
  drop trigger if exists events_are_announced on oauth.events;
  if to_regclass('realtime.messages') is not null then
    drop policy if exists "Owners hear the events of their own connections" on realtime.messages;
  end if;
end;
$$;

revoke execute on function oauth.stop_live_events() from public, anon, authenticated, service_role;

comment on function oauth.stop_live_events() is 'Ends what oauth.start_live_events() began.';
