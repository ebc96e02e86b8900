import postgres from "postgres";
import { withDatabase } from "../../../tests/support/database.ts";
import { type Count, difference, type Figure } from "../figures.ts";
import { allCalls, become, type Call, type Subject as Asked, subjects } from "../sql/calls.ts";
import { explaining, touchedBy } from "../sql/plans.ts";
import { fill } from "../sql/rows.ts";
import { only, type Subject } from "../subject.ts";

/** After so long, milliseconds, a call that takes its time is not asked again. */
const PATIENCE_MS = 3_000;

export const sql: Subject = {
  name: "sql",
  title: "The SQL, as the tables grow",
  method:
    "Each function as the store calls it, and the views, on one connection to the database without HTTP between, in a " +
    "transaction that is rolled back: what it takes more than `select 1` in turn with it. Every connection has two events. " +
    "Counted are the rows of our tables that one call looks at, in every statement within it; a number that grows with " +
    "the tables will be slow some day, whatever it takes here.",
  on_each_runtime: false,
  async measure({ pick }) {
    const sizes = pick({ tiny: [100], quick: [100, 10_000], full: [100, 10_000, 1_000_000] });
    const most = pick({ tiny: 2, quick: 30, full: 200 });
    const [figures, counts]: [Figure[], Count[]] = [[], []];
    await withDatabase(async ({ url }) => {
      const owner = postgres(url, { max: 1, onnotice: () => {} });
      const plans = await explaining(url);
      try {
        let there = 0;
        for (const rows of sizes) {
          await fill(owner, url, there, rows);
          there = rows;
          const asked = await subjects(owner, rows, most);
          for (const call of await allCalls(owner)) {
            const { rows: looked, whole } = await touchedBy(plans, call, only(asked));
            const took = await timed(owner, call, asked, most);
            const size = `${rows.toLocaleString("en")} connections`;
            counts.push({ what: `rows that \`${call.name}\` looks at`, of: size, count: looked });
            figures.push(difference({
              what: `\`${call.name}\`, ${size}`,
              against: "`select 1`",
              unit: "ms",
              itself: took.call,
              control: took.nothing,
              limited_by: whole.length > 0 ? `reads all of ${whole.join(", ")}` : `looks at ${looked} rows`,
            }));
          }
        }
      } finally {
        await owner.end();
        await plans.sql.end();
      }
    });
    return { figures, counts };
  },
};

/** In turns with a statement that does nothing. Only the statements themselves are timed. */
async function timed(sql: postgres.Sql, call: Call, asked: readonly Asked[], most: number) {
  const took: { call: number[]; nothing: number[] } = { call: [], nothing: [] };
  const ends = performance.now() + PATIENCE_MS;
  for (let turn = 0; turn <= most && (turn < 2 || performance.now() < ends); turn++) {
    const subject = only(asked, turn % asked.length);
    await sql`begin`;
    await become(sql, call, subject);
    const times = [];
    for (const statement of [call.statement(subject), "select 1"]) {
      const began = performance.now();
      await sql.unsafe(statement);
      times.push(performance.now() - began);
    }
    await sql`rollback`;
    if (turn === 0) continue;
    took.call.push(times[0] ?? NaN);
    took.nothing.push(times[1] ?? NaN);
  }
  return took;
}
