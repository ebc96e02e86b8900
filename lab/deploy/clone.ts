import { type ManagementApi, serveManagementApi } from "./management_api.ts";
import { copyProject } from "./project_copy.ts";
import { type Cli, supabaseCli } from "./supabase_cli.ts";

export interface Clone {
  readonly folder: string;
  /** In the folder, and reaching `api` in place of Supabase. */
  readonly cli: Cli;
  readonly api: ManagementApi;
}

/** The project as cloned into an empty folder, and the CLI in it. Nothing of it outlives `work`. */
export async function withClone(work: (clone: Clone) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "clone-" });
  const home = await Deno.makeTempDir({ prefix: "home-" });
  const api = serveManagementApi();
  try {
    await copyProject(folder);
    await work({ folder, api, cli: await supabaseCli(folder, home, api.origin) });
  } finally {
    await api.stop();
    for (const place of [folder, home]) await Deno.remove(place, { recursive: true });
  }
}
