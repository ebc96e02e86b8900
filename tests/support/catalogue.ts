import type postgres from "postgres";

/**
 * Every object that can be granted, one line each, with who may do what: where nothing was said, what PostgreSQL then
 * takes for granted. Two equal lists mean that nobody gained or lost a right.
 */
export async function readPrivileges(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select format('%s %s %s', kind, name, acl) as line from (
      select 'schema' as kind, nspname::text as name, coalesce(nspacl, acldefault('n', nspowner)) as acl
        from pg_namespace
      union all
      select case relkind when 'S' then 'sequence' else 'relation' end,
             format('%s.%s', relnamespace::regnamespace, relname),
             coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
        from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all
      select 'column', format('%s.%s.%s', c.relnamespace::regnamespace, c.relname, a.attname), a.attacl
        from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null
      union all
      select 'function',
             format('%s.%s(%s)', pronamespace::regnamespace, proname, pg_get_function_identity_arguments(oid)),
             coalesce(proacl, acldefault('f', proowner))
        from pg_proc
      union all
      select 'type', format('%s.%s', typnamespace::regnamespace, typname),
             coalesce(typacl, acldefault('T', typowner))
        from pg_type where typtype in ('b', 'd', 'e', 'r') and typelem = 0
      union all
      select 'default', format('%s %s %s', defaclrole::regrole, defaclnamespace, defaclobjtype), defaclacl
        from pg_default_acl
    ) as privileges
    where name !~ '^pg_(catalog|toast)|^information_schema' order by line`;
  return rows.map(({ line }) => line);
}

/** The whole database but its rows: what there is, how it is defined, what is said of it, who may do what. */
export async function readCatalogue(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with known as (
      select classid, objid, objsubid from pg_depend
      union
      select refclassid, refobjid, refobjsubid from pg_depend
      union
      select classoid, objoid, objsubid from pg_description
    ), found as (
      select k.*, i.type, i.identity
        from known k, pg_identify_object(k.classid, k.objid, k.objsubid) i
       where coalesce(i.schema, '') !~ '^pg_|^information_schema$'
         -- What a foreign key makes for itself has a number in its name.
         and i.identity !~ '^pg_|^information_schema|RI_ConstraintTrigger'
    )
    select format('%s %s: %s %s', f.type, f.identity, d.definition, c.description) as line
      from found f
      left join pg_description c on (c.classoid, c.objoid, c.objsubid) = (f.classid, f.objid, f.objsubid)
      left join (
        select 'pg_proc'::regclass as classid, oid as objid, 0 as objsubid, md5(pg_get_functiondef(oid)) as definition
          from pg_proc where prokind in ('f', 'p')
        union all
        select 'pg_class'::regclass, oid, 0, concat_ws(' ', relkind, reloptions, relrowsecurity, relforcerowsecurity,
               case relkind when 'v' then pg_get_viewdef(oid) when 'i' then pg_get_indexdef(oid) end)
          from pg_class
        union all
        select 'pg_class'::regclass, attrelid, attnum, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull)
          from pg_attribute
        union all
        select 'pg_attrdef'::regclass, oid, 0, pg_get_expr(adbin, adrelid) from pg_attrdef
        union all
        select 'pg_constraint'::regclass, oid, 0, pg_get_constraintdef(oid) from pg_constraint
        union all
        select 'pg_trigger'::regclass, oid, 0, pg_get_triggerdef(oid) from pg_trigger
        union all
        select 'pg_policy'::regclass, oid, 0, concat_ws(' ', polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid))
          from pg_policy
      ) d on (d.classid, d.objid, d.objsubid) = (f.classid, f.objid, f.objsubid)
     order by line`;
  return [...rows.map(({ line }) => line), ...await readPrivileges(sql)];
}
