-- The schema that holds what users must never read, and the words its tables share.
--
-- What is secret lives in "oauth", which the API does not expose. What an owner may see is offered by views in
-- "public", what the Edge Functions may do by functions in "public" that service_role alone may execute.

create schema oauth;

comment on schema oauth is
  'OAuth connections and their sealed tokens. Never to be listed under [api] schemas.';

revoke all on schema oauth from public, anon, authenticated, service_role;
-- Not to authenticated: a view finds its tables without this right, and without it nobody can name them.
grant usage on schema oauth to service_role;

-- Projects made before the end of May 2026 grant new objects to the API's roles, PostgreSQL grants new functions to
-- everyone. Here whoever makes an object says who may use it; a grant that was forgotten is an error, not a leak.
-- Both lists are needed: what is granted in one schema is not revoked by what is revoked everywhere.
alter default privileges revoke all on tables from public, anon, authenticated;
alter default privileges revoke all on sequences from public, anon, authenticated;
alter default privileges revoke execute on functions from public, anon, authenticated;
alter default privileges in schema public revoke all on tables from public, anon, authenticated;
alter default privileges in schema public revoke all on sequences from public, anon, authenticated;
alter default privileges in schema public revoke execute on functions from public, anon, authenticated;
-- An extension's functions are made to be called by all. Where this role itself creates the extension, the lists above
-- would hold for them too.
alter default privileges in schema extensions grant execute on functions to public;

create domain oauth.sealed as text
  constraint sealed_is_a_seal check (value ~ '^v1(\.[A-Za-z0-9_-]+){3}$');

comment on domain oauth.sealed is
  'format.key id.iv.ciphertext. The check is what keeps a token from ever being stored in plain text by mistake; it cannot tell whether the seal opens.';

create function oauth.milliseconds_between(p_from timestamptz, p_to timestamptz)
returns bigint
language sql
immutable
set search_path = ''
as $$
  -- Rounded up: whoever waits for as long as it says finds the moment past, not just ahead.
  select coalesce(ceil(extract(epoch from p_to - p_from) * 1000), 0)::bigint;
$$;

revoke execute on function oauth.milliseconds_between(timestamptz, timestamptz) from public, anon, authenticated;
grant execute on function oauth.milliseconds_between(timestamptz, timestamptz) to service_role;

comment on function oauth.milliseconds_between(timestamptz, timestamptz) is
  'How callers get to know times: as a duration from now, so that their clocks do not matter. 0 if there is no such time.';
