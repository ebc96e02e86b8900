-- The schema that holds what users must never read, and the words its tables share.
--
-- What is secret lives in "oauth", which the API does not expose. What an owner may see is offered by views in
-- "public", what the Edge Functions may do by functions in "public" that service_role alone may execute.
--
-- Each object says by itself who may use it, after taking from everybody what they may have got already: projects
-- made before the end of May 2026 grant what is new in "public" to the API's roles, PostgreSQL grants new functions and
-- types to everyone. These defaults stay as they are: they hold for the project's own objects too.

create schema oauth;

comment on schema oauth is
  'OAuth connections and their sealed tokens. Never to be listed under [api] schemas.';

revoke all on schema oauth from public, anon, authenticated, service_role;
-- Not to authenticated: a view finds its tables without this right, and without it nobody can name them.
grant usage on schema oauth to service_role;

create domain oauth.sealed as text
  constraint sealed_is_a_seal check (value ~ '^v1(\.[A-Za-z0-9_-]+){3}$');

revoke all on domain oauth.sealed from public, anon, authenticated, service_role;
grant usage on domain oauth.sealed to service_role;

comment on domain oauth.sealed is
  'format.key id.iv.ciphertext. The check is what keeps a token from ever being stored in plain text by mistake; it cannot tell whether the seal opens.';
