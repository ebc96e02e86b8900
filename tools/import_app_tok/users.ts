import type { Account } from "../../supabase/functions/_shared/oauth/account.ts";
import type { OldRow } from "./rows.ts";
import { readFile } from "./rows.ts";

/** Says whose connection a row becomes. */
export interface Users {
  /** Every user that is named, to be checked before anything is spent. */
  readonly ids: readonly string[];
  /** Before the provider is asked: a user's id, `unknown` until it has said whose the tokens are, or null for nobody. */
  beforehand(row: OldRow): string | "unknown" | null;
  /** Once the provider has said whose they are. Null: nobody. */
  of(row: OldRow, account: Account): string | null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What a mapping may go by: a column of the old table, or what the provider says. */
const KEYS = ["appid", "account", "email"] as const;

/** All rows become one user's. */
export function oneUser(id: string): Users {
  const user = checked(id);
  return { ids: [user], beforehand: () => user, of: () => user };
}

/**
 * The mapping in a file, CSV or JSON: `user_id`, and one of `AppId`, `account` (Pipedrive's `company_id:user_id`) or
 * `email` (the Pipedrive user's).
 */
export async function usersFrom(path: string): Promise<Users> {
  const records = (await readFile(path)).map((record) =>
    new Map(
      Object.entries(record).map(([name, value]) => [name.trim().toLowerCase(), String(value ?? "").trim()]),
    )
  );
  const by = KEYS.find((key) => records.every((record) => record.has(key)));
  if (by === undefined || records.length === 0) {
    throw new Error(`"${path}" needs the columns user_id and one of AppId, account, email`);
  }
  const users = new Map<string, string>();
  for (const record of records) {
    const key = (record.get(by) ?? "").toLowerCase();
    if (key === "") throw new Error(`"${path}" has a row without ${by}`);
    if (users.has(key)) throw new Error(`"${path}" names "${key}" twice`);
    users.set(key, checked(record.get("user_id") ?? ""));
  }
  const find = (key: string | undefined) => users.get((key ?? "").toLowerCase()) ?? null;
  return {
    ids: [...new Set(users.values())],
    beforehand: (row) => by === "appid" ? find(row.app_id) : "unknown",
    of: (row, { key, email }) => find(by === "appid" ? row.app_id : by === "account" ? key : email),
  };
}

function checked(id: string): string {
  const user = id.trim().toLowerCase();
  if (!UUID.test(user)) throw new Error(`"${id}" is no user's id: it is the UUID that Auth shows`);
  return user;
}
