-- What a new object cannot forget. The checks read the catalog, so they hold for objects that nobody thought of here;
-- the lists at the end are the grants as they are meant to be, each one on purpose.
begin;
\ir helpers.psql
select plan(28);

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
      where relnamespace = 'oauth'::regnamespace and relkind = 'r' and obj_description(oid, 'pg_class') is null
     union all
     select name from our_views() where obj_description(oid, 'pg_class') is null
     union all
     select name from our_functions() where obj_description(oid, 'pg_proc') is null $$,
  'every table, view and function says what it is for'
);

-- Views

select isnt_empty($$ select from our_views() where schema = 'public' $$, 'there are views to check');
select is_empty(
  $$ select name from our_views() where kind = 'm' or not options @> array['security_invoker=true'] $$,
  'every view over the tables, wherever it is, reads with the rights of its reader'
);

-- Functions

select isnt_empty($$ select from our_functions() where schema = 'public' $$, 'there are functions to check');
select is_empty(
  $$ select name, coalesce(nullif(grantee, 0)::regrole::text, 'public') from our_functions(), aclexplode(acl)
      where grantee <> owner and grantee <> 'service_role'::regrole $$,
  'no function may be executed by anyone but service_role'
);
select is_empty(
  $$ select name from our_functions()
      where has_function_privilege('anon', oid, 'execute')
         or has_function_privilege('authenticated', oid, 'execute') $$,
  'nor by way of a role''s membership'
);
select results_eq(
  $$ select name from our_functions() where not has_function_privilege('service_role', oid, 'execute')
      order by name collate "C" $$,
  $$ values
    ('oauth.reactivate(uuid)'), ('oauth.request_sweep(integer)'), ('oauth.schedule_sweep(text,integer)'),
    ('oauth.start_live_events()'), ('oauth.stop_live_events()'), ('oauth.sweep_request()'), ('oauth.unschedule_sweep()'),
    ('oauth.vault_setting(text,text,text)') $$,
  'service_role may execute each but these, which are for whoever runs the project'
);
select is_empty($$ select name from our_functions() where definer $$, 'no function lends its owner''s rights');
select is_empty(
  $$ select name from our_functions() where not config @> array['search_path=""'] $$,
  'no function finds anything by a search path'
);
select is_empty(
  $$ select name from our_functions() where schema = 'public' and not config @> array['lock_timeout=2s'] $$,
  'no function of the API waits for a lock longer than two seconds'
);
select is_empty(
  $$ select name from our_functions() join pg_proc p using (oid) join pg_language l on l.oid = p.prolang
      where l.lanname <> 'plpgsql' $$,
  'every function keeps its plans: one in SQL that has settings of its own is planned anew at every call'
);

-- What was forgotten is found: a table without row level security, a view and functions as they come

create table oauth.forgotten (id bigint);
create view public.oauth_forgotten as select id from oauth.forgotten;
create function oauth.forgotten() returns integer language sql as 'select 1';
create function public.oauth_forgotten() returns bigint language sql as 'select id from oauth.forgotten';
-- As PostgreSQL does by itself, unless a project has told it not to.
grant execute on function oauth.forgotten, public.oauth_forgotten to public;
select is(
  (select array_agg(relname::text) from pg_class where relnamespace = 'oauth'::regnamespace and relkind = 'r' and not relrowsecurity)
    || (select array_agg(name) from our_views() where not options @> array['security_invoker=true'])
    || (select array_agg(name order by name) from our_functions() where has_function_privilege('anon', oid, 'execute')),
  '{forgotten,oauth_forgotten,oauth.forgotten(),oauth_forgotten()}',
  'an object that forgets is found, in schema oauth and where it reaches into it'
);
drop function public.oauth_forgotten(), oauth.forgotten();
drop view public.oauth_forgotten;
drop table oauth.forgotten;

-- The grants

select results_eq(
  $$ select grantee::regrole::text, privilege_type from pg_namespace, aclexplode(nspacl)
      where nspname = 'oauth' and grantee <> nspowner order by 1, 2 $$,
  $$ values ('service_role', 'USAGE') $$,
  'only service_role can name what is in schema oauth'
);
select results_eq(
  $$ select grantee::regrole::text, privilege_type
       from pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner)))
      where typnamespace = 'oauth'::regnamespace and typtype = 'd' and grantee <> typowner order by 1, 2 $$,
  $$ values ('service_role', 'USAGE') $$,
  'and declare anything as a seal'
);
select is_empty(
  $$ select c.oid::regclass, grantee::regrole, privilege_type
       from pg_class c, aclexplode(coalesce(c.relacl, acldefault('s', c.relowner)))
      where c.relnamespace = 'oauth'::regnamespace and c.relkind = 'S' and grantee <> c.relowner $$,
  'nobody draws from a sequence by hand'
);
select results_eq(
  $$ select c.oid::regclass::text, string_agg(lower(privilege_type), ', ' order by privilege_type)
       from pg_class c, aclexplode(c.relacl)
      where c.relnamespace = 'oauth'::regnamespace and c.relkind = 'r' and grantee = 'service_role'::regrole
      group by 1 order by 1 $$,
  $$ values ('oauth.authorization_requests', 'delete, insert, select, update'), ('oauth.connections', 'insert, select, update'),
            ('oauth.events', 'delete, insert, select'), ('oauth.last_sweep', 'insert, select, update'),
            ('oauth.revocations', 'delete, insert, select, update'), ('oauth.token_sets', 'delete, insert, select, update'),
            ('oauth.uninstallations', 'delete, insert, select, update'), ('oauth.unreadable_keys', 'delete, insert, select') $$,
  'service_role may do with each table what the functions need'
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
     'id provider account_key account_name account_email scope status access_expires_at authorization_expires_at created_at updated_at'),
    ('oauth.events', 'authenticated', 'SELECT', 'id connection_id kind version code scope created_at') $$,
  'owners may read these columns, none of them a secret'
);
select results_eq(
  $$ select name, grantee::regrole::text, privilege_type from our_views(), aclexplode(acl)
      where schema = 'oauth' and grantee <> owner order by 1 $$,
  $$ values ('oauth.connection_health', 'service_role', 'SELECT'),
            ('oauth.provider_health', 'service_role', 'SELECT') $$,
  'the views of schema oauth are for service_role, to read'
);
select results_eq(
  $$ select name, grantee::regrole::text, privilege_type from our_views(), aclexplode(acl)
      where schema = 'public' and grantee <> owner order by 1, 2, 3 $$,
  $$ values ('oauth_connections', 'authenticated', 'SELECT'), ('oauth_connections', 'service_role', 'SELECT'),
            ('oauth_events', 'authenticated', 'SELECT'), ('oauth_events', 'service_role', 'SELECT') $$,
  'the views are for users, to read'
);
select results_eq(
  $$ select v.name, string_agg(a.attname::text collate "default", ' ' order by a.attnum)
       from our_views() v join pg_attribute a on a.attrelid = v.oid
      where v.schema = 'public' and a.attnum > 0 group by 1 order by 1 $$,
  $$ values
    ('oauth_connections', 'id provider status account scope created_at updated_at access_expires_at authorization_expires_at'),
    ('oauth_events', 'id connection_id kind version code scope created_at') $$,
  'the views have these columns'
);

select * from finish();
rollback;
