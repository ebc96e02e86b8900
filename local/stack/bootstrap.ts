import postgres from "postgres";
import { openRest } from "./rest.ts";

/**
 * Gives a plain database what a new Supabase project has before its first migration: the three API roles, the
 * schema `extensions` with pgcrypto, and Auth's schema with `auth.users`, `auth.uid()` and `auth.role()`.
 *
 * New tables are granted to nobody, as in projects created today. May be called again on the same database.
 */
export async function prepareDatabase(url: string): Promise<void> {
  await bootstrap(url);
  const unused = () => crypto.randomUUID() + crypto.randomUUID();
  const rest = await openRest({
    database_url: url,
    jwt_secret: unused(),
    publishable_key: `sb_publishable_${unused()}`,
    secret_key: `sb_secret_${unused()}`,
  });
  await rest.close();
}

/** The part that needs no Auth; `openRest` brings the rest. */
export async function bootstrap(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(BOOTSTRAP).simple();
  } finally {
    await sql.end();
  }
}

const role = (name: string, attributes: string) => `
  do $$ begin
    create role ${name} ${attributes};
  exception
    -- Roles belong to the server: another of its databases may have made this one, a moment ago or now.
    when duplicate_object or unique_violation then null;
  end $$;`;

const BOOTSTRAP = `
  ${role("anon", "nologin noinherit")}
  ${role("authenticated", "nologin noinherit")}
  ${role("service_role", "nologin noinherit bypassrls")}
  create schema if not exists extensions;
  create extension if not exists pgcrypto with schema extensions;
  grant usage on schema public, extensions to anon, authenticated, service_role;
  -- Holds for connections made from here on.
  do $$ begin
    execute format('alter database %I set search_path = "$user", public, extensions', current_database());
  end $$;
`;
