import { npx } from "../../tools/supabase_cli.ts";
import type { Clone } from "./clone.ts";

/** A terminal in the project's folder: commands as a page has them, and the time at which each was done. */
export class Terminal {
  readonly #begun = performance.now();
  readonly log: string[] = [];

  constructor(readonly clone: Clone) {}

  /** Runs a line; the database is `database_url`, where it says no more than `--remote`. */
  async type(line: string, database_url = ""): Promise<string> {
    const [npm, name = "", ...words] = line.split(" ");
    if (npm !== "npx") throw new Error(`not a command of a page: ${line}`);
    const args = words.map((word) => word === "--remote" ? `--remote=${database_url}` : word);
    const ours = name.startsWith("supabase@");
    const run = ours ? this.clone.supabase : npx(name, this.clone.folder, this.clone.home);
    const { stdout, stderr } = await run(...args, "--yes");
    this.done(`$ ${line}`);
    return stdout + stderr;
  }

  done(what: string): void {
    this.log.push(`${((performance.now() - this.#begun) / 1000).toFixed(1).padStart(5)} s  ${what}`);
  }
}
