/** Moves what the old n8n workflow kept into connections; see docs/from-n8n.md. */
import { parseArgs } from "node:util";
import { fromEnvironment, readSettings } from "../../supabase/functions/_shared/env.ts";
import { load } from "../../supabase/functions/_shared/providers/mod.ts";
import { systemClock } from "../../supabase/functions/_shared/time.ts";
import { clientOf, sendOnce } from "../../supabase/functions/_shared/wiring.ts";
import { Ledger } from "./ledger.ts";
import { asKnown, foresee, move, type MoveContext, type Moved } from "./move.ts";
import { isPlatform, type OldRow, readRows, withPlatform } from "./rows.ts";
import { oneUser, type Users, usersFrom } from "./users.ts";

const USAGE =
  `deno run -A --env-file=.env tools/import_app_tok/main.ts --from SOURCE --to URL (--user ID | --users FILE)

  --from SOURCE    the old database's URL, or a CSV or JSON export of the table
  --to URL         this project's database, as postgres, not through the transaction pooler; or set SUPABASE_DB_URL
  --user ID        every row becomes this Supabase user's
  --users FILE     CSV or JSON: user_id, and one of AppId, account (company_id:user_id), email
  --table NAME     App_tok unless given
  --platform NAME  which rows, by their column Platform; Pipedrive unless given
  --dry-run        says what would happen, asks the provider nothing and writes nothing

The settings are the functions' own: PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, TOKEN_ENCRYPTION_KEYS and so on.
Use the client (app) that the old workflow used: a refresh token is good for no other.`;

const PROVIDER = "pipedrive";
/** Needs nobody's attention. */
const DONE: readonly Moved["what"][] = [
  "moved",
  "already_moved",
  "superseded",
  "would_move",
  "other_platform",
  "left",
];

interface Order {
  readonly from: string;
  readonly to: string;
  readonly table: string;
  readonly platform: string;
  readonly dry_run: boolean;
  readonly users: Users;
}

/** @returns the exit code: 1 if a row needs somebody's attention, 2 if it could not be done at all */
async function main(args: string[]): Promise<number> {
  try {
    const order = await readArguments(args);
    const rows = withPlatform(await readRows(order.from, order.table), order.platform);
    if (!rows.some((row) => row.platform === "" || isPlatform(row, order.platform))) {
      throw new Error(
        `No row is of the platform "${order.platform}": see --platform and the column Platform`,
      );
    }
    const moved = await run(order, rows);
    return moved.every(({ what }) => DONE.includes(what)) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

async function readArguments(args: string[]): Promise<Order> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      from: text,
      to: text,
      user: text,
      users: text,
      table: text,
      platform: text,
      "dry-run": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { from, user, users, table = "App_tok", platform = "Pipedrive" } = values;
  const to = values.to ?? Deno.env.get("SUPABASE_DB_URL");
  const both = (user === undefined) === (users === undefined);
  if (values.help || !from || !to || both) throw new Error(USAGE);
  return {
    from,
    to,
    table,
    platform,
    dry_run: values["dry-run"] ?? false,
    users: user === undefined ? await usersFrom(users ?? "") : oneUser(user),
  };
}

async function run(order: Order, rows: readonly OldRow[]): Promise<Moved[]> {
  const ledger = new Ledger(order.to);
  try {
    const context = await contextOf(order, ledger);
    const unknown = await ledger.unknownUsers(order.users.ids);
    if (unknown.length > 0) throw new Error(`There is no user ${unknown.join(", ")} in this project`);
    if (!order.dry_run && !await ledger.begin()) {
      throw new Error("Another import is at work on this database");
    }
    const moved = await moveAll(order.dry_run ? foresee : move, context, rows);
    console.log(`\n${rows.length} rows. ${summary(moved)}`);
    return moved;
  } finally {
    await ledger.close();
  }
}

/**
 * One row after the other, each reported as it is done: the last one first, because of one account's rows the newest is
 * the one that is good. What did not succeed is reported at the end, when it is known whether another row had its
 * account.
 */
async function moveAll(
  work: typeof move,
  context: MoveContext,
  rows: readonly OldRow[],
): Promise<Moved[]> {
  const moved: Moved[] = [];
  const unclear: Moved[] = [];
  const waiting = [...rows];
  try {
    for (let row = waiting.at(-1); row !== undefined; row = waiting.at(-1)) {
      const one = await work(context, row);
      waiting.pop();
      if (one.what === "refused" || one.what === "later") unclear.push(one);
      else moved.push(reported(one));
    }
  } catch (error) {
    for (const one of unclear) reported(one);
    for (const row of waiting) reported({ row, what: "not_done", why: "the run stopped here; run again" });
    throw error;
  }
  for (const one of unclear) moved.push(reported(await asKnown(context, one.row) ?? one));
  return moved;
}

async function contextOf({ users, platform }: Order, ledger: Ledger): Promise<MoveContext> {
  const provider = await load(PROVIDER);
  const settings = await readSettings(fromEnvironment, provider ? [provider] : []);
  const own = settings.providers.get(PROVIDER);
  if (!provider || !own) throw new Error(settings.faults.get(PROVIDER) ?? `${PROVIDER} has no settings`);
  return {
    client: clientOf(provider, own, settings.callback_url),
    keyring: settings.keyring,
    clock: systemClock,
    random: Math.random,
    fetch: sendOnce,
    ledger,
    users,
    platform,
  };
}

function reported(one: Moved): Moved {
  const { row: { number, app_id }, what, why } = one;
  const app = app_id === "" ? "" : ` (AppId ${app_id})`;
  console.log(`row ${number}${app}: ${what.replaceAll("_", " ")}: ${why}`);
  return one;
}

function summary(moved: readonly Moved[]): string {
  const counts = Map.groupBy(moved, ({ what }) => what);
  return Array.from(counts, ([what, group]) => `${group.length} ${what.replaceAll("_", " ")}`).join(", ");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
