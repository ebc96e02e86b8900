/**
 * Nothing that the functions ask gets slow as the tables grow: seen by the rows that each statement looks at, in tables
 * with generated rows. `PLANS_CONNECTIONS=1000000` looks at a million, which takes minutes to fill.
 */
import postgres from "postgres";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { allCalls, LIMIT, subjects } from "./sql/calls.ts";
import { explaining, touchedBy } from "./sql/plans.ts";
import { fill } from "./sql/rows.ts";
import { only } from "./subject.ts";

const CONNECTIONS = Number(Deno.env.get("PLANS_CONNECTIONS") ?? 10_000);
/** What one call may look at: its own rows, and of those it takes several of the connection, its tokens and an event each. */
const MOST_ROWS = 10 * LIMIT;
/** What grows with the tables all the same: it counts every connection. */
const KNOWN: readonly string[] = ["provider_health"];

/** Statements that each call executes within it, in its one transaction, those of triggers among them. */
const STATEMENTS: Readonly<Record<string, number>> = {
  "oauth_peek, the token seen": 1,
  "oauth_peek, the token not seen": 1,
  "oauth_peek, without a name": 2,
  "oauth_claim_refresh, claimed": 3,
  "oauth_claim_refresh, fresh": 2,
  oauth_commit_refresh: 10,
  "oauth_fail_refresh, another's lease": 1,
  "oauth_fail_refresh, refused without a code": 2,
  "oauth_claim_due, idle": 1,
  "oauth_claim_due, failed": 1,
  oauth_connection: 1,
  oauth_begin_authorization: 4,
  oauth_receive_authorization_response: 2,
  oauth_take_authorization: 4,
  oauth_return_authorization: 1,
  oauth_connect: 17,
  oauth_disconnect: 13,
  oauth_uninstall: 13,
  oauth_claim_revocations: 1,
  oauth_finish_revocation: 1,
  oauth_begin_sweep: 1,
  oauth_keys_in_use: 1,
  "oauth_sealed_under_other_keys, nothing is": 1,
  "oauth_mark_unreadable, nothing is": 4,
  oauth_reseal: 1,
  oauth_purge: 4,
};

Deno.test(`no call looks at more rows because there are ${CONNECTIONS} connections`, async (t) => {
  await withDatabase(async ({ url }) => {
    const owner = postgres(url, { max: 1, onnotice: () => {} });
    const plans = await explaining(url);
    try {
      await fill(owner, url, 0, CONNECTIONS);
      const asked = only(await subjects(owner, CONNECTIONS, 3), 1);
      const growing: string[] = [];
      const counted: Record<string, number> = {};
      for (const call of await allCalls(owner)) {
        const { rows, whole, statements } = await touchedBy(plans, call, asked);
        if (call.role === "service_role") counted[call.name] = statements;
        if (rows <= MOST_ROWS && whole.length === 0) continue;
        growing.push(call.name);
        console.log(
          `${call.name} looks at ${rows} rows${whole.length > 0 ? `, all of ${whole.join(", ")}` : ""}`,
        );
      }
      await t.step("but for those that are known to", () => {
        assertEquals(growing.filter((name) => !KNOWN.includes(name)), []);
      });
      await t.step("each executes as many statements as its work has", () => {
        assertEquals(counted, STATEMENTS);
      });
      await t.step("the look at the plans sees one that reads a whole table", async () => {
        const whole = {
          name: "count",
          role: "postgres",
          statement: () => "select count(*) from oauth.events",
        } as const;
        assert((await touchedBy(plans, whole, asked)).rows >= CONNECTIONS);
      });
    } finally {
      await owner.end();
      await plans.sql.end();
    }
  });
});
