import { fileURLToPath } from "node:url";
import type { Cli } from "./supabase_cli.ts";

/** What is checked in, and what the function code is checked against. */
export const TYPES_FILE = new URL(
  "../../supabase/functions/_shared/keep/database.types.ts",
  import.meta.url,
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const HEAD =
  "// Written by `deno task types` from the migrations, with the Supabase CLI. Not to be edited.\n\n";

/** What the CLI makes of the schema that the API exposes, formatted as everything here. */
export async function generateTypes(cli: Cli, database_url: string): Promise<string> {
  const args = ["gen", "types", "--lang", "typescript", "--schema", "public", `--remote=${database_url}`];
  return await formatted(HEAD + (await cli.must(...args)).stdout);
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
