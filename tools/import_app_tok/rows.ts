import postgres from "postgres";
import { parseJson } from "../../supabase/functions/_shared/bytes.ts";
import { parse } from "./csv.ts";

/** One row of the old workflow's table. Its access token is left where it is: it has an hour to live at most. */
export interface OldRow {
  /** Counted from 1, for the report. */
  readonly number: number;
  readonly app_id: string;
  /** Empty: the row names none, or the table has no such column. */
  readonly platform: string;
  /** Empty: the row never had one. */
  readonly refresh_token: string;
}

/**
 * Reads the old rows, in their order, and changes nothing.
 *
 * @param from the old database's URL, or a file: CSV with a header, or JSON as n8n and Supabase export it
 * @param table the table's name, with its schema where it is not `public`
 */
export async function readRows(from: string, table: string): Promise<OldRow[]> {
  const records = /^postgres(ql)?:\/\//.test(from) ? await readTable(from, table) : await readFile(from);
  const rows = records.map((record) =>
    new Map(Object.entries(record).map(([name, value]) => [name.trim().toLowerCase(), value]))
  );
  if (!rows.some((columns) => columns.has("ref_token"))) {
    throw new Error(rows.length === 0 ? "There are no rows" : 'There is no column "ref_token"');
  }
  return rows.map((columns, index) => rowOf(columns, index + 1));
}

/**
 * Rows that name no platform are of this one, as long as no row names another. Else whose they are cannot be known, and
 * they stay without.
 */
export function withPlatform(rows: readonly OldRow[], platform: string): OldRow[] {
  const others = rows.some((row) => row.platform !== "" && !isPlatform(row, platform));
  return rows.map((row) => row.platform === "" && !others ? { ...row, platform } : row);
}

export function isPlatform(row: OldRow, platform: string): boolean {
  return row.platform.toLowerCase() === platform.toLowerCase();
}

/**
 * Whose a refresh token is: Pipedrive's begin with company and user, `7100201:11:…`. That is documented by examples
 * alone, so it only counts where an account of this key is known from elsewhere.
 */
export function accountKeyOf({ refresh_token }: OldRow): string | null {
  return /^(\d+:\d+):/.exec(refresh_token)?.[1] ?? null;
}

async function readTable(url: string, table: string): Promise<object[]> {
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    connection: { default_transaction_read_only: true },
  });
  try {
    return await sql`select * from ${sql(table)}`;
  } finally {
    await sql.end();
  }
}

export async function readFile(path: string): Promise<object[]> {
  const text = (await Deno.readTextFile(path)).replace(/^\uFEFF/, "");
  if (!/^\s*[[{]/.test(text)) return parse(text, { skipFirstRow: true });
  const json = parseJson(text);
  if (json === undefined) throw new Error(`"${path}" is not valid JSON`);
  const list: unknown[] = Array.isArray(json) ? json : [json];
  // n8n wraps each item.
  return list.map((item) => item instanceof Object && "json" in item ? Object(item.json) : Object(item));
}

/** An export may leave out what is null. */
function rowOf(columns: ReadonlyMap<string, unknown>, number: number): OldRow {
  const text = (name: string) => String(columns.get(name) ?? "").trim();
  return { number, app_id: text("appid"), platform: text("platform"), refresh_token: text("ref_token") };
}
