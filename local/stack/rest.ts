import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { printingTo } from "./quiet.ts";

export interface RestOptions {
  /** Of a PostgreSQL superuser; each request then runs as the role of its caller. */
  database_url: string;
  /** Signs the users' tokens with HS256. Only the gateway knows it. */
  jwt_secret: string;
  publishable_key: string;
  secret_key: string;
  /** Takes what the library prints: every error of the database, with its stack. */
  log?: (line: string) => void;
}

export interface Rest {
  /** Serves `/rest/v1` and `/auth/v1`; anything else is 404. */
  fetch(request: Request): Promise<Response>;
  /** To be called after a migration: the library remembers which tables and functions there are. */
  forgetSchema(): void;
  close(): Promise<void>;
}

/** Prepares the `auth` schema and serves PostgREST's and Auth's paths from this process. */
export async function openRest(options: RestOptions): Promise<Rest> {
  const log = options.log ?? (() => {});
  const { database_url: url, jwt_secret, publishable_key, secret_key } = options;
  const connection = createPostgresConnection({
    url,
    postgresOptions: { types: TYPES, onnotice: (notice) => log(`notice: ${notice.message}`) },
  });
  keepGrants(connection);
  const app = new App({
    connection,
    api: { schemas: ["public"] },
    auth: { enabled: true, jwt_secret, publishable_key, secret_key },
    options: { server: { disableStudio: true, disableFallback: true } },
  });
  try {
    await printingTo(log, async () => {
      await app.init();
      await app.ensureSystemSchema();
    });
    await connection.exec(HOSTED_AUTH_FUNCTIONS);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    fetch: (request) => printingTo(log, async () => await app.fetch(request)),
    forgetSchema: () => connection.clearSchemaCache(),
    close: () => connection.close(),
  };
}

/**
 * Leaves every grant to the migrations, while requests still run as their callers' roles.
 *
 * As it comes, the library grants `all` on each schema that holds a table with row level security to all three
 * roles, columns that a migration revoked included; and where it finds no such table at its first request, every
 * later one runs as the superuser. `true` here says: the roles are there, switch to them.
 */
function keepGrants(connection: object): void {
  const target = connection as { ensureRlsContext?: unknown };
  if (typeof target.ensureRlsContext !== "function") {
    throw new Error("@supabase/lite has no ensureRlsContext any more: see how it grants before going on");
  }
  target.ensureRlsContext = () => Promise.resolve(true);
}

const asIs = (value: unknown) => value;

/** Makes the library's values look as PostgREST's do. The numbers are the types' oids (pg_type). */
const TYPES = {
  timestamptz: {
    to: 1184,
    from: [1184],
    serialize: asIs,
    parse: (text: string) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"),
  },
  bytea: { to: 17, from: [17], serialize: asIs, parse: asIs },
  numeric: { to: 1700, from: [1700], serialize: String, parse: Number },
  json: { to: 114, from: [114], serialize: asJson, parse: (text: string) => JSON.parse(text) },
  jsonb: { to: 3802, from: [3802], serialize: asJson, parse: (text: string) => JSON.parse(text) },
};

/** A function's jsonb argument arrives as text already; encoded once more it would become a JSON string. */
function asJson(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The library's own read only one of the two settings that hosted Supabase's read; pgTAP tests set the other. */
const HOSTED_AUTH_FUNCTIONS = `
  create or replace function auth.uid() returns uuid language sql stable as $$
    select coalesce(
      nullif(current_setting('request.jwt.claim.sub', true), ''),
      nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid
  $$;
  create or replace function auth.role() returns text language sql stable as $$
    select coalesce(
      nullif(current_setting('request.jwt.claim.role', true), ''),
      nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
    )::text
  $$;
  grant usage on schema auth to anon, authenticated, service_role;
`;
