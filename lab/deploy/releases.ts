import { join } from "node:path";
import { OURS } from "../../local/stack/migrations.ts";
import { serve, type Served } from "../../local/stack/serve.ts";
import type { RegistryItem } from "../../tools/registry/item.ts";
import { copyProject } from "./project_copy.ts";

/** Releases of this repository, at addresses of this machine. A fork's own migrations stay out. */
export class Releases {
  readonly #items = new Map<string, RegistryItem>();
  readonly #served: Served = serve(0, ({ url }) => {
    const item = this.#items.get(new URL(url).pathname);
    return item ? Response.json(item) : new Response(null, { status: 404 });
  });

  /** What `deno task registry` builds in a copy that `change` was made to. */
  async publish(
    change: (copy: string) => Promise<void> = async () => {},
  ): Promise<[address: string, item: RegistryItem]> {
    const copy = await Deno.makeTempDir({ prefix: "release-" });
    try {
      await copyProject(copy, (path) => {
        const [, migration] = /^supabase\/migrations\/(.+)/.exec(path) ?? [];
        return !path.startsWith("lab/") && (migration === undefined || OURS.test(migration));
      });
      await change(copy);
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "registry"],
        cwd: copy,
      })
        .output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      const item: RegistryItem = JSON.parse(
        await Deno.readTextFile(join(copy, "registry/oauth-tokens.json")),
      );
      const path = `/v${item.meta.version}/oauth-tokens.json`;
      this.#items.set(path, item);
      return [this.#served.origin + path, item];
    } finally {
      await Deno.remove(copy, { recursive: true });
    }
  }

  stop(): Promise<void> {
    return this.#served.stop();
  }
}
