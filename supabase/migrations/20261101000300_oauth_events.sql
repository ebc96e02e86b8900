-- An event: what happened to a connection, for its owner and for whoever must explain it later.
--
-- Each is written in the transaction that it tells of: there is no change without its event, and no event of a change
-- that was rolled back. An event knows from the start how long it is kept: history that grows with every refresh ends
-- some day, what explains a connection stays, and the server may delete what is past its time and nothing else.

create function oauth.kept_until(p_kind text, p_code text, p_created_at timestamptz)
returns timestamptz
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  -- In hours, not days: a day's length depends on the time zone, and this must not.
  return p_created_at + case
    -- 90 days for what repeats. A refresh that changed the scope has a code and does not.
    when p_kind = 'refresh_failed' or (p_kind = 'refreshed' and p_code is null) then interval '2160 hours'
    -- Two years for what was granted, lost or ended.
    else interval '17520 hours'
  end;
end;
$$;
revoke execute on function oauth.kept_until from public, anon, authenticated;
grant execute on function oauth.kept_until to service_role;
comment on function oauth.kept_until is
  'When an event may be deleted: 90 days after a refresh or a failed one, two years after anything else.';

create table oauth.events (
  id bigint generated always as identity primary key,
  connection_id uuid not null references oauth.connections (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  kind text not null check (kind in (
    'connected', 'refreshed', 'refresh_failed', 'reauthorization_required', 'recovered', 'disconnected', 'uninstalled',
    'revocation_abandoned'
  )),
  version bigint not null,
  code text check (code ~ '^[A-Za-z0-9_.-]{1,64}$'),
  scope text[],
  created_at timestamptz not null,
  kept_until timestamptz not null generated always as (oauth.kept_until(kind, code, created_at)) stored
);

comment on table oauth.events is
  'The history of connections: appended to, never changed. It goes with the connection, and that with its user.';
comment on column oauth.events.kind is
  'recovered is a refresh that brought a connection back for which reauthorization was already required. revocation_abandoned: the provider was asked for seven days to end what was disconnected, in vain.';
comment on column oauth.events.version is 'The connection''s version after the event.';
comment on column oauth.events.code is
  'refresh_failed: an OAuth error code or a word of ours. reauthorization_required: grant_refused, rotation_lost where we may have lost the token ourselves, or refused_without_code where the provider gave no reason. refreshed, recovered: scope_widened or scope_narrowed. Never a provider''s text, which may repeat a secret.';
comment on column oauth.events.scope is 'The scope granted, where the event could change it.';
comment on column oauth.events.kept_until is
  'Before this time nobody deletes the event by itself; with its connection or its user it goes at any time.';

create index events_connection_id_idx on oauth.events (connection_id, id);
create index events_user_id_idx on oauth.events (user_id, id);
create index events_kept_until_idx on oauth.events (kept_until);
-- Each version has one origin. Two would mean that two token sets were stored over one another.
create unique index events_version_has_one_origin_idx on oauth.events (connection_id, version)
  where kind in ('connected', 'refreshed', 'recovered', 'disconnected', 'uninstalled');

revoke all on oauth.events from public, anon, authenticated, service_role;
grant select, insert, delete on oauth.events to service_role;
grant select (id, connection_id, kind, version, code, scope, created_at) on oauth.events to authenticated;
-- An identity needs no right to its sequence.
revoke all on sequence oauth.events_id_seq from public, anon, authenticated, service_role;

alter table oauth.events enable row level security;
alter table oauth.events force row level security;

create policy "Owners read the events of their own connections"
  on oauth.events for select to authenticated
  using ((select auth.uid()) = user_id);

create function oauth.keep_event()
returns trigger
language plpgsql security invoker
set search_path = ''
as $$
begin
  if old.kept_until > clock_timestamp() then
    raise exception 'This event is kept until %', old.kept_until using errcode = '42501';
  end if;
  return old;
end;
$$;
revoke execute on function oauth.keep_event from public, anon, authenticated;
grant execute on function oauth.keep_event to service_role;
comment on function oauth.keep_event is
  'Refuses to delete an event before its time, as if the right to delete it had not been granted.';

-- Depth 0: the statement itself. What a connection or a user takes along is deleted by a trigger of its own.
create trigger events_are_kept
  before delete on oauth.events
  for each row when (pg_catalog.pg_trigger_depth() = 0)
  execute function oauth.keep_event();

create view public.oauth_events
with (security_invoker = true)
as
select id, connection_id, kind, version, code, scope, created_at
from oauth.events;

comment on view public.oauth_events is
  'What happened to the reader''s own connections. security_invoker: row level security is the reader''s own.';

revoke all on public.oauth_events from public, anon, authenticated, service_role;
grant select on public.oauth_events to authenticated, service_role;

create function oauth.record(
  p_connection_id uuid,
  p_kind text,
  p_code text default null,
  p_scope text[] default null
)
returns void
language plpgsql security invoker
set search_path = ''
as $$
begin
  insert into oauth.events (connection_id, user_id, kind, version, code, scope, created_at)
  select c.id, c.user_id, p_kind, c.version, p_code, p_scope, clock_timestamp()
    from oauth.connections c
   where c.id = p_connection_id;
end;
$$;
revoke execute on function oauth.record from public, anon, authenticated;
grant execute on function oauth.record to service_role;
comment on function oauth.record is
  'Appends an event to a connection''s history, in the caller''s transaction.';
