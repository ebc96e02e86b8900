import postgres from "postgres";

/** Every privilege in the database, one line each, in a fixed order: two equal lists mean that nothing was granted. */
export async function readGrants(url: string): Promise<string[]> {
  // With nothing else on the search path every name comes with its schema.
  const connection = { search_path: "pg_catalog" };
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection });
  try {
    const rows = await sql<{ line: string }[]>`
      select line from (
        select format('schema %s %s', nspname, nspacl) as line from pg_namespace where nspname !~ '^pg_'
        union all
        select format('relation %s %s', oid::regclass, relacl) from pg_class where relnamespace::regnamespace::text !~ '^pg_'
        union all
        select format('column %s.%s %s', attrelid::regclass, attname, attacl) from pg_attribute where attacl is not null
        union all
        select format('function %s %s', oid::regprocedure, proacl) from pg_proc where proacl is not null
        union all
        select format('default %s %s %s', defaclnamespace, defaclobjtype, defaclacl) from pg_default_acl
      ) as privileges
      order by line`;
    return rows.map((row) => row.line);
  } finally {
    await sql.end();
  }
}
