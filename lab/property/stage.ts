import fc from "fast-check";
import type { Undo } from "../../local/stack/undo.ts";
import { startDatabase } from "../../tests/support/database.ts";
import { takeOverDatabaseTime } from "../../tests/support/database_time.ts";
import { makeKeyring } from "../../tests/support/make.ts";
import { openSqlRpc } from "../../tests/support/sql_rpc.ts";
import { brokenPromises } from "./invariants.ts";
import { plan } from "./plan.ts";
import { type Ran, runPlan, type Stage } from "./run.ts";

/** A database with its time in our hands. */
export async function openStage(stop: Undo): Promise<Stage> {
  const database = await startDatabase();
  stop.add(() => database.stop());
  const admin = database.connect();
  await takeOverDatabaseTime(admin);
  const rpc = await openSqlRpc(database.url);
  stop.add(() => rpc.close());
  return { admin, rpc, keyring: await makeKeyring() };
}

/** Any plan, in any order, keeps every promise. */
export function everyRun(stage: Stage, seen: (ran: Ran) => void = () => {}) {
  return fc.asyncProperty(fc.scheduler(), plan, async (scheduler, drawn) => {
    const ran = await runPlan(stage, drawn, scheduler);
    seen(ran);
    const broken = await brokenPromises(ran, stage.keyring);
    if (broken.length > 0) throw new BrokenPromises(broken);
  });
}

/** Each begins with the promise's number in the protocol. */
export class BrokenPromises extends Error {
  override readonly name = "BrokenPromises";
  constructor(readonly promises: readonly string[]) {
    super(promises.join("\n"));
  }
}
