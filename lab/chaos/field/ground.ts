import { join } from "node:path";
import { keepKeys, type Keys } from "../../../local/stack/keys.ts";
import { guard, removeQuietly } from "../../../local/stack/process.ts";
import { removePostgres } from "../../../local/stack/postgres.ts";
import type { Undo } from "../../../local/stack/undo.ts";
import { Database } from "./database.ts";

/** What a field stands on: a folder, its keys, and PostgreSQL with its own settings. */
export interface Ground {
  readonly folder: string;
  readonly keys: Keys;
  readonly database: Database;
}

/** @param name what the folder is called by */
export async function layGround(undo: Undo, name: string): Promise<Ground> {
  const folder = await Deno.makeTempDir({ prefix: `${name}-` });
  const guarded = guard({ pid: null, remove: folder });
  undo.add(() => guarded.release());
  undo.add(() => removeQuietly(folder));
  const keys = await keepKeys(join(folder, "keys.json"));
  const data = join(folder, "postgres");
  undo.add(() => removePostgres(data));
  const database = await Database.start(data);
  undo.add(() => database.stop());
  return { folder, keys, database };
}
