-- An event: what happened to a connection, for its owner and for whoever must explain it later.
--
-- Each is written in the transaction that it tells of: there is no change without its event, and no event of a change
-- that was rolled back.

create table oauth.events (
  id bigint generated always as identity primary key,
  connection_id uuid not null references oauth.connections (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  kind text not null check (kind in (
    'connected', 'refreshed', 'refresh_failed', 'reauthorization_required', 'recovered', 'disconnected', 'uninstalled'
  )),
  version bigint not null,
  code text check (code ~ '^[A-Za-z0-9_.-]{1,64}$'),
  scope text[],
  created_at timestamptz not null
);

comment on table oauth.events is
  'The history of connections: appended to, never changed. It goes with the connection, and that with its user.';
comment on column oauth.events.kind is
  'recovered is a refresh that brought a connection back for which reauthorization was already required.';
comment on column oauth.events.version is 'The connection''s version after the event.';
comment on column oauth.events.code is
  'refresh_failed: an OAuth error code or a word of ours. reauthorization_required: grant_refused, or rotation_lost where we may have lost the token ourselves. refreshed, recovered: scope_widened or scope_narrowed. Never a provider''s text, which may repeat a secret.';
comment on column oauth.events.scope is 'The scope granted, where the event could change it.';

create index events_connection_id_idx on oauth.events (connection_id, id);
create index events_user_id_idx on oauth.events (user_id, id);
-- Each version has one origin. Two would mean that two token sets were stored over one another.
create unique index events_version_has_one_origin_idx on oauth.events (connection_id, version)
  where kind in ('connected', 'refreshed', 'recovered', 'disconnected', 'uninstalled');

revoke all on oauth.events from public, anon, authenticated, service_role;
grant select, insert on oauth.events to service_role;
grant select (id, connection_id, kind, version, code, scope, created_at) on oauth.events to authenticated;

alter table oauth.events enable row level security;
alter table oauth.events force row level security;

create policy "Owners read the events of their own connections"
  on oauth.events for select to authenticated
  using ((select auth.uid()) = user_id);

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
language sql
security invoker
set search_path = ''
as $$
  insert into oauth.events (connection_id, user_id, kind, version, code, scope, created_at)
  select c.id, c.user_id, p_kind, c.version, p_code, p_scope, clock_timestamp()
  from oauth.connections c
  where c.id = p_connection_id;
$$;

revoke execute on function oauth.record(uuid, text, text, text[]) from public, anon, authenticated;
grant execute on function oauth.record(uuid, text, text, text[]) to service_role;

comment on function oauth.record(uuid, text, text, text[]) is
  'Appends an event to a connection''s history, in the caller''s transaction.';
