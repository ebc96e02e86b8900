import { join } from "node:path";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { Undo } from "../../local/stack/undo.ts";
import { walk } from "../../tests/support/walk.ts";
import { type Clone, withFolder } from "./clone.ts";
import { type HostedProject, withHostedProject } from "./hosted_project.ts";
import { PROJECT_REF } from "./management_api.ts";
import { write } from "./project_copy.ts";
import { Releases } from "./releases.ts";
import { Terminal } from "./terminal.ts";

/** Under our migrations' timestamps. */
const OLDER = [
  "20260101090000_notes.sql",
  `create table public.notes (id bigint generated always as identity primary key, user_id uuid not null, text text);
   alter table public.notes enable row level security;
   grant select on public.notes to authenticated;
   create policy "Own notes" on public.notes for select to authenticated using (user_id = (select auth.uid()));`,
] as const;
/** Above them, and in names like ours. */
const NEWER = [
  "20991231235959_apps.sql",
  `create table public.apps (id bigint primary key, name text not null);
   alter table public.apps enable row level security;
   create view public.oauth_apps with (security_invoker) as select id, name from public.apps;
   create function public.oauth_app_count() returns bigint language sql as 'select count(*) from public.oauth_apps';`,
] as const;
/** A function with an import map of its own. */
const GREET = {
  "index.ts": 'import { hello } from "words";\nexport default { fetch: () => Response.json(hello) };\n',
  "words.ts": 'export const hello = "hello";\n',
  "deno.json": '{ "imports": { "words": "./words.ts" } }\n',
};

/** A project with tables, policies and a function, deployed, before anything of ours is in it. */
export interface TheirProject extends Clone {
  readonly hosted: HostedProject;
  readonly terminal: Terminal;
  readonly releases: Releases;
  /** A connection to the hosted database. */
  readonly sql: postgres.Sql;
  /** Another database, in which nothing is newer than our migrations. */
  readonly early: postgres.Sql;
  readonly early_url: string;
}

/** As the CLI's own commands make it. Nothing of it outlives `work`. */
export async function withTheirProject(work: (project: TheirProject) => Promise<void>): Promise<void> {
  const undo = new Undo();
  try {
    const releases = new Releases();
    undo.add(() => releases.stop());
    const early_url = await emptyDatabase(undo);
    await withFolder((clone) =>
      withHostedProject(async (hosted) => {
        const databases = new Undo();
        const connect = (url: string) => {
          const client = postgres(url, { max: 1, onnotice: () => {} });
          databases.add(() => client.end());
          return client;
        };
        try {
          const terminal = new Terminal(clone);
          await build(clone, hosted, terminal, early_url);
          const [sql, early] = [connect(hosted.database_url), connect(early_url)];
          await work({ ...clone, hosted, terminal, releases, sql, early, early_url });
        } finally {
          await databases.run();
        }
      })
    );
  } finally {
    await undo.run();
  }
}

async function build(
  { folder, supabase }: Clone,
  { database_url }: HostedProject,
  terminal: Terminal,
  early_url: string,
): Promise<void> {
  // To `init` that is a repository, which has files to ignore.
  await Deno.mkdir(join(folder, ".git"));
  await terminal.type("npx supabase@3.1.0 init");
  await terminal.type("npx supabase@3.1.0 functions new greet");
  const place = join(folder, "supabase");
  for (const [name, text] of Object.entries(GREET)) await write(join(place, "functions/greet", name), text);
  await write(join(place, "migrations", OLDER[0]), OLDER[1]);
  await supabase("db", "push", `--remote=${early_url}`, "--yes");
  await write(join(place, "migrations", NEWER[0]), NEWER[1]);
  await terminal.type(`npx supabase@3.1.0 link --project-ref ${PROJECT_REF}`);
  await terminal.type("npx supabase@3.1.0 db push --remote", database_url);
  await terminal.type("npx supabase@3.1.0 functions deploy --use-api");
}

async function emptyDatabase(undo: Undo): Promise<string> {
  const server = await startPostgres();
  undo.add(() => server.stop());
  await prepareDatabase(server.url);
  return `${server.url}?sslmode=disable`;
}

/** Every file of the project but what programs keep for themselves. */
export async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const found of walk(pathToFileURL(`${folder}/`), ".")) {
    const path = found.slice("./".length);
    if (!path.startsWith("supabase/.temp/")) files.set(path, await Deno.readTextFile(join(folder, path)));
  }
  return files;
}

/** What a note has a user append to config.toml. */
export function sectionsIn(note: string): string {
  return Array.from(note.matchAll(/^\[functions\..+\]\n(?:\w+ = .+\n)+/gm), ([section]) => `\n${section}`)
    .join("");
}

/** What a note has a user run, in its order. */
export function commandsIn(note: string): string[] {
  return Array.from(note.matchAll(/^npx .+$/gm), ([line]) => line);
}
