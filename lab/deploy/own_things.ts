import { join } from "node:path";
import { write } from "./project_copy.ts";

/** Made before ours was, and with names that sound like ours. */
const BEFORE =
  `create table public.customers (id bigint generated always as identity primary key, user_id uuid not null);
alter table public.customers enable row level security;
create policy "Their own" on public.customers for select to authenticated using ((select auth.uid()) = user_id);
grant select on public.customers to authenticated;
create view public.oauth_apps with (security_invoker = true) as select id from public.customers;
create function public.oauth_sign_in(text) returns text language sql set search_path = '' as 'select $1';
`;

/** Made after. */
const AFTER = `create type public.mood as enum ('calm');
alter table public.customers add column mood public.mood;
create index customers_by_user on public.customers (user_id);
create table public.notes (id uuid primary key default gen_random_uuid(), connection_id uuid);
alter table public.notes enable row level security;
create function public.connected() returns bigint language sql security definer set search_path = ''
  as 'select count(*) from oauth.connections';
create view public.my_connections as select id from oauth.connections;
`;

const PGTAP = `begin;
select plan(1);
select has_table('public'::name, 'customers'::name);
select * from finish();
rollback;
`;

const FUNCTION = `import { cors } from "../_shared/cors.ts";
import { z } from "zod";

const Body = z.string();

Deno.serve(async (request) => {
  const name = Deno.env.get("GREETING_NAME") ?? Body.parse(await request.text());
  return new Response(\`Hello \${name}\`, { headers: cors });
});
`;

const TEST = `import { cors } from "../supabase/functions/_shared/cors.ts";

Deno.test("anybody may ask", () => {
  if (cors["access-control-allow-origin"] !== "*") throw new Error("nobody may ask");
});
`;

const SECTION = `
[functions.greet]
verify_jwt = true
`;

/** One of each kind of thing that a fork adds, as its people would write it. */
export async function addOwnThings(fork: string): Promise<void> {
  const files = {
    "supabase/migrations/20240105120000_customers.sql": BEFORE,
    "supabase/migrations/20990105120000_notes.sql": AFTER,
    "supabase/tests/90_customers.sql": PGTAP,
    "supabase/functions/_shared/cors.ts": `export const cors = { "access-control-allow-origin": "*" };\n`,
    "supabase/functions/greet/index.ts": FUNCTION,
    "supabase/functions/greet/deno.json": `{ "imports": { "zod": "npm:zod@4.6.7" } }\n`,
    "tests/own_test.ts": TEST,
  };
  for (const [path, text] of Object.entries(files)) await write(join(fork, path), text);
  const config = join(fork, "supabase/config.toml");
  await Deno.writeTextFile(config, await Deno.readTextFile(config) + SECTION);
}
