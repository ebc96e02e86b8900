import { join } from "node:path";
import { guard, lockFolder, removeQuietly, writeWhole } from "./process.ts";
import { removePostgres } from "./postgres.ts";
import type { Undo } from "./undo.ts";

/** A stack's data folder: the database, the keys, the last run's logs, and `stack.json` while the stack is ready. */
export class Folder {
  readonly #path: string;
  readonly #undo: Undo;

  private constructor(path: string, undo: Undo) {
    this.#path = path;
    this.#undo = undo;
  }

  /** The folder `dir`, or a temporary one that is gone at the end. Throws when another stack is running on it. */
  static async open(dir: string | undefined, fresh: boolean, undo: Undo): Promise<Folder> {
    const path = dir ?? await Deno.makeTempDir({ prefix: "stack-" });
    const release = await lockFolder(path);
    if (release === null) {
      throw new Error(`A stack is already running on "${path}". Stop it, or choose another folder`);
    }
    undo.add(release);
    const folder = new Folder(path, undo);
    await folder.#retract();
    const guarded = guard({ pid: null, remove: dir === undefined ? path : folder.at("stack.json") });
    undo.add(() => guarded.release());
    if (dir === undefined) undo.add(() => removeQuietly(path));
    if (fresh) await folder.#empty();
    return folder;
  }

  at(name: string): string {
    return join(this.#path, name);
  }

  /** Writes the lines of this run to the log `name`; what the last run wrote there is dropped. */
  log(name: string): (line: string) => void {
    const options = { create: true, write: true, truncate: true, mode: 0o600 };
    const file = Deno.openSync(this.at(`${name}.log`), options);
    let open = true;
    this.#undo.add(() => {
      open = false;
      file.close();
    });
    const encoder = new TextEncoder();
    return (line) => {
      if (open) file.writeSync(encoder.encode(`${line}\n`));
    };
  }

  /** Writes what this run has for others to read, for their owner's eyes only. */
  keep(name: string, text: string): void {
    writeWhole(this.at(name), text);
  }

  /** From here on others may use the stack, until it ends. */
  announce(addresses: object): void {
    writeWhole(this.at("stack.json"), JSON.stringify(addresses, null, 2) + "\n");
    this.#undo.add(() => this.#retract());
  }

  #retract(): Promise<void> {
    return removeQuietly(this.at("stack.json"));
  }

  async #empty(): Promise<void> {
    await removePostgres(this.at("postgres"));
    for (const name of ["keys.json", "sandbox.json"]) await removeQuietly(this.at(name));
  }
}
