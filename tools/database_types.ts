/** `deno task types`: writes `database.types.ts` from the migrations. Run after a change of what `public` offers. */
import { fileURLToPath } from "node:url";
import { prepareDatabase } from "../local/stack/bootstrap.ts";
import { applyMigrations, OURS } from "../local/stack/migrations.ts";
import { startPostgres } from "../local/stack/postgres.ts";
import { type SupabaseCli, supabaseCli } from "./supabase_cli.ts";

/** What is checked in, and what the function code is checked against. */
export const TYPES_FILE = new URL("../supabase/functions/_shared/keep/database.types.ts", import.meta.url);
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const HEAD =
  "// Written by `deno task types` from the migrations, with the Supabase CLI. Not to be edited.\n\n";

/** What the CLI makes of the schema that the API exposes, formatted as everything here. */
export async function generateTypes(supabase: SupabaseCli, database_url: string): Promise<string> {
  const remote = `--remote=${database_url}?sslmode=disable`;
  const { stdout } = await supabase("gen", "types", "--lang", "typescript", "--schema", "public", remote);
  return await formatted(HEAD + stdout);
}

async function formatted(source: string): Promise<string> {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=ts", `--config=${CONFIG}`, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stdin = formatter.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(source));
  await stdin.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("deno fmt does not format what the CLI generated");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "types-" });
  const server = await startPostgres();
  try {
    await prepareDatabase(server.url);
    await applyMigrations(server.url, { only: OURS });
    await Deno.writeTextFile(TYPES_FILE, await generateTypes(supabaseCli(folder, folder), server.url));
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}
