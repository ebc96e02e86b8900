import { join } from "node:path";
import { type SupabaseCli, supabaseCli } from "../../tools/supabase_cli.ts";
import { ACCESS_TOKEN, type ManagementApi, serveManagementApi } from "./management_api.ts";
import { copyProject, write } from "./project_copy.ts";

export interface Clone {
  readonly folder: string;
  /** The CLI in the folder, reaching `api` in place of Supabase. */
  readonly supabase: SupabaseCli;
  /** What makes any other CLI reach it, too. */
  readonly env: Record<string, string>;
  readonly api: ManagementApi;
}

/** The project as cloned into an empty folder, and the CLI in it. Nothing of it outlives `work`. */
export async function withClone(work: (clone: Clone) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "clone-" });
  const home = await Deno.makeTempDir({ prefix: "home-" });
  const api = serveManagementApi();
  const profile = join(home, "profile.yaml");
  try {
    await copyProject(folder);
    await write(
      profile,
      `name: loopback\napi_url: ${api.origin}\ndashboard_url: ${api.origin}/dashboard\nproject_host: supabase.invalid\n`,
    );
    const env = { SUPABASE_PROFILE: profile, SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN };
    await work({ folder, api, env, supabase: supabaseCli(folder, home, env) });
  } finally {
    await api.stop();
    for (const place of [folder, home]) await Deno.remove(place, { recursive: true });
  }
}

/** The lines by which the CLI warns: of what it ignores, above all. */
export function warnings(stderr: string): string[] {
  return stderr.split("\n").filter((line) => /\bwarn(ing)?\b|deprecated|unknown|fallback/i.test(line));
}
