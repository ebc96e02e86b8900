-- What a new object cannot forget. The checks read the catalog, so they hold for objects that nobody thought of here;
-- the lists at the end are the grants as they are meant to be, each one on purpose.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(26);

create temp view ours as
  select p.oid, p.oid::regprocedure::text as name, p.pronamespace::regnamespace::text as schema, p.proconfig, p.prosecdef, p.proowner,
         coalesce(p.proacl, acldefault('f', p.proowner)) as acl
    from pg_proc p
   where p.pronamespace = 'oauth'::regnamespace
      or (p.pronamespace = 'public'::regnamespace and p.proname like 'oauth\_%');

-- Tables

select isnt_empty(
  $$ select from pg_class where relnamespace = 'oauth'::regnamespace and relkind = 'r' $$,
  'there are tables to check'
);
select is_empty(
  $$ select oid::regclass from pg_class
      where relnamespace = 'oauth'::regnamespace and relkind in ('r', 'p')
        and not (relrowsecurity and relforcerowsecurity) $$,
  'every table has row level security, enabled and forced'
);
select is_empty(
  $$ select oid::regclass from pg_class
      where relnamespace = 'oauth'::regnamespace and relkind not in ('r', 'p', 'v', 'i', 'I', 'S', 'c') $$,
  'schema oauth has tables and plain views: no materialized view or foreign table reads past row level security'
);
select results_eq(
  $$ select c.oid::regclass::text, p.polcmd, p.polroles::regrole[]::text, p.polpermissive
       from pg_policy p join pg_class c on c.oid = p.polrelid
      where c.relnamespace = 'oauth'::regnamespace order by 1 $$,
  $$ values ('oauth.connections', 'r'::"char", '{authenticated}', true), ('oauth.events', 'r', '{authenticated}', true) $$,
  'one policy each for owners to read connections and events, none on what is secret'
);
select is_empty(
  $$ select p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
      where c.relnamespace = 'oauth'::regnamespace
        and pg_get_expr(p.polqual, p.polrelid) not like '%auth.uid()%= user_id%' $$,
  'every policy asks whose row it is'
);
select is_empty(
  $$ select conrelid::regclass, conname from pg_constraint k
      where connamespace = 'oauth'::regnamespace and contype = 'f'
        and (confdeltype <> 'c' or not exists (
          select from pg_index i
           where i.indrelid = k.conrelid and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] = k.conkey
        )) $$,
  'every foreign key is indexed, and what it names takes the row with it'
);
select is_empty(
  $$ select * from pg_publication_tables where schemaname = 'oauth' $$,
  'no table is published to subscribers'
);
select is_empty(
  $$ select oid::regclass::text from pg_class
      where relnamespace = 'oauth'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null
     union all
     select name from ours where obj_description(oid, 'pg_proc') is null $$,
  'every table, view and function says what it is for'
);

-- Views

select isnt_empty(
  $$ select from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v' and relname like 'oauth\_%' $$,
  'there are views to check'
);
select is_empty(
  $$ select c.oid::regclass
       from pg_class c
       join pg_depend d on d.refobjid in (select oid from pg_class where relnamespace = 'oauth'::regnamespace)
       join pg_rewrite r on r.oid = d.objid and r.ev_class = c.oid
      where c.relkind in ('v', 'm')
        and (c.relkind = 'm' or not coalesce(c.reloptions, '{}') @> array['security_invoker=true']) $$,
  'every view over the tables, wherever it is, reads with the rights of its reader'
);

-- Functions

select isnt_empty($$ select from ours $$, 'there are functions to check');
select is_empty(
  $$ select name, coalesce(grantee::regrole::text, 'public') from ours, aclexplode(acl)
      where grantee <> proowner and grantee <> 'service_role'::regrole $$,
  'no function may be executed by anyone but service_role'
);
select is_empty(
  $$ select name from ours
      where has_function_privilege('anon', oid, 'execute')
         or has_function_privilege('authenticated', oid, 'execute') $$,
  'nor by way of a role''s membership'
);
select results_eq(
  $$ select name from ours where not has_function_privilege('service_role', oid, 'execute') order by name collate "C" $$,
  $$ values
    ('oauth.cron_secret_key()'), ('oauth.project_url()'), ('oauth.request_sweep(integer)'),
    ('oauth.schedule_sweep(text,integer)'), ('oauth.start_live_events()'), ('oauth.stop_live_events()'),
    ('oauth.unschedule_sweep()'), ('oauth.vault_setting(text,text,text)') $$,
  'service_role may execute each but these, which are for whoever runs the project'
);
select is_empty($$ select name from ours where prosecdef $$, 'no function lends its owner''s rights');
select is_empty(
  $$ select name from ours where not coalesce(proconfig, '{}') @> array['search_path=""'] $$,
  'no function finds anything by a search path'
);
select is_empty(
  $$ select name from ours where schema = 'public' and not coalesce(proconfig, '{}') @> array['lock_timeout=2s'] $$,
  'no function of the API waits for a lock longer than two seconds'
);

-- What comes next: an object made by the role that runs migrations

create table oauth.forgotten (id bigint generated always as identity);
create function oauth.forgotten() returns integer language sql as 'select 1';
create table public.forgotten (id bigint generated always as identity);
create function public.forgotten() returns integer language sql as 'select 1';

select is_empty(
  $$ select c.oid::regclass, grantee::regrole, privilege_type
       from pg_class c, aclexplode(c.relacl)
      where c.relname like 'forgotten%' and grantee in (0, 'anon'::regrole, 'authenticated'::regrole) $$,
  'a new table or sequence is granted to nobody'
);
select is_empty(
  $$ select p.oid::regprocedure, r
       from pg_proc p, unnest(array['anon', 'authenticated']) r
      where p.proname = 'forgotten' and has_function_privilege(r, p.oid, 'execute') $$,
  'a new function may be executed by nobody'
);
drop table oauth.forgotten, public.forgotten;
drop function oauth.forgotten(), public.forgotten();

-- The grants

select results_eq(
  $$ select grantee::regrole::text, privilege_type from pg_namespace, aclexplode(nspacl)
      where nspname = 'oauth' and grantee <> nspowner order by 1, 2 $$,
  $$ values ('service_role', 'USAGE') $$,
  'only service_role can name what is in schema oauth'
);
select results_eq(
  $$ select c.oid::regclass::text, string_agg(lower(privilege_type), ', ' order by privilege_type)
       from pg_class c, aclexplode(c.relacl)
      where c.relnamespace = 'oauth'::regnamespace and c.relkind = 'r' and grantee = 'service_role'::regrole
      group by 1 order by 1 $$,
  $$ values ('oauth.authorization_requests', 'delete, insert, select, update'), ('oauth.connections', 'insert, select, update'),
            ('oauth.events', 'delete, insert, select'), ('oauth.token_sets', 'delete, insert, select, update') $$,
  'service_role may do with each table what the functions need'
);
select results_eq(
  $$ select c.oid::regclass::text, grantee::regrole::text, privilege_type from pg_class c, aclexplode(c.relacl)
      where c.relnamespace = 'oauth'::regnamespace and c.relkind = 'v' and grantee <> c.relowner order by 1 $$,
  $$ values ('oauth.connection_health', 'service_role', 'SELECT'), ('oauth.provider_health', 'service_role', 'SELECT') $$,
  'the views of schema oauth are for service_role, to read'
);
select is_empty(
  $$ select c.oid::regclass, grantee::regrole, privilege_type from pg_class c, aclexplode(c.relacl)
      where c.relnamespace = 'oauth'::regnamespace and grantee not in (c.relowner, 'service_role'::regrole) $$,
  'nobody else has a right to a whole table'
);
select results_eq(
  $$ select c.oid::regclass::text, grantee::regrole::text, privilege_type, string_agg(a.attname::text collate "default", ' ' order by a.attnum)
       from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl)
      where c.relnamespace = 'oauth'::regnamespace group by 1, 2, 3 order by 1 $$,
  $$ values
    ('oauth.connections', 'authenticated', 'SELECT',
     'id provider account_key account_name account_email scope status access_expires_at created_at updated_at'),
    ('oauth.events', 'authenticated', 'SELECT', 'id connection_id kind version code scope created_at') $$,
  'owners may read these columns, none of them a secret'
);
select results_eq(
  $$ select c.oid::regclass::text, grantee::regrole::text, privilege_type from pg_class c, aclexplode(c.relacl)
      where c.relnamespace = 'public'::regnamespace and c.relname like 'oauth\_%' and grantee <> c.relowner
      order by 1, 2, 3 $$,
  $$ values ('oauth_connections', 'authenticated', 'SELECT'), ('oauth_connections', 'service_role', 'SELECT'),
            ('oauth_events', 'authenticated', 'SELECT'), ('oauth_events', 'service_role', 'SELECT') $$,
  'the views are for users, to read'
);
select results_eq(
  $$ select table_name::text collate "default",
            string_agg(column_name::text collate "default", ' ' order by ordinal_position) from information_schema.columns
      where table_schema = 'public' and table_name like 'oauth\_%' group by 1 order by 1 $$,
  $$ values
    ('oauth_connections', 'id provider status account scope created_at updated_at access_expires_at'),
    ('oauth_events', 'id connection_id kind version code scope created_at') $$,
  'the views have these columns'
);

select * from finish();
rollback;
