/**
 * `deno run -A lab/strangers/main.ts`: the whole life of a connection at other people's authorization servers.
 * Prints the table: how many called, what of it reached the token endpoint, what of that was refused, and how
 * many had the API's answer. Exits 1 where a promise is broken, with what was kept until then.
 */
import { type Promises, withLives } from "./lives.ts";

interface Row {
  readonly stranger: string;
  readonly promise: string;
  readonly callers: number;
  readonly token_requests: number;
  readonly refused: number;
  readonly served: number;
}

const COLUMNS = ["Stranger", "Promise", "Callers", "Token requests", "Refused", "Served"] as const;

/** Adds a row for each promise that is kept. */
async function live({ life, promises }: Promises, rows: Row[]): Promise<void> {
  const { calls, stranger } = life;
  const look = async () => ({
    callers: calls.made,
    token_requests: await stranger.token_requests(),
    refused: await stranger.refused(),
    served: calls.served,
  });
  for (const [promise, keep] of promises) {
    const before = await look();
    await keep(life);
    const after = await look();
    rows.push({
      stranger: life.provider,
      promise,
      callers: after.callers - before.callers,
      token_requests: after.token_requests - before.token_requests,
      refused: after.refused - before.refused,
      served: after.served - before.served,
    });
  }
}

function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => Object.values(row).map(String));
  return [COLUMNS, COLUMNS.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** One after the other, so that the table reads as what happened. */
async function liveAll(lives: readonly Promises[]): Promise<void> {
  const rows: Row[] = [];
  try {
    for (const each of lives) await live(each, rows);
  } finally {
    console.log(table(rows));
  }
}

await withLives(liveAll);
