/** What a user who leaves has a right to: that the provider hears of it, once, whatever breaks, and only when nobody of the account is left. */
import type { Connected } from "../field/connections.ts";
import type { Field } from "../field/field.ts";
import { seatName } from "../field/seat.ts";
import type { Answer, Site } from "../field/site.ts";
import { type Bench, countOf, FATAL, pause, type Scenario, size, verdict } from "./kit.ts";

const SIZES = { "oauth-callback": 2, "refresh-token": 1, "search-persons": 1 };
/** Leave together, and find their processes killed together. */
const AT_ONCE = 5;
/** Longer than the pauses before the second and the third try. */
const PATIENCE_MS = 300_000;
const HTML = "<html><title>Scheduled maintenance</title></html>";

function revoked({ journal }: Field, { id }: Connected): boolean {
  return journal.entries.some((entry) => entry.what === "revoked" && entry.connection === id);
}

/** The sweep comes again and again, until nothing of these accounts is left to revoke. A hurried run brings its next try forward. */
async function sweepUntilNothingIsLeft(
  { field, hurried }: Bench,
  site: Site,
  connections: readonly Connected[],
): Promise<number> {
  const { sql } = field.database;
  const ids = connections.map(({ id }) => id);
  const ends = performance.now() + PATIENCE_MS;
  for (;;) {
    await site.sweep();
    const [row] = await sql`
      select count(*)::int as left from oauth.revocations where connection_id = any(${ids})`;
    if (row?.left === 0 || performance.now() > ends) return Number(row?.left);
    if (hurried) {
      await sql`
        update oauth.revocations set next_attempt_at = clock_timestamp() where connection_id = any(${ids})`;
    }
    await pause(1_000);
  }
}

/** kill -9 right after the answer to a disconnect; or the provider's revocation endpoint is down for a moment. */
const leaving: Scenario = {
  name: "kill-after-disconnect",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("leaving", SIZES);
    const leavers = await field.connections.make(size(bench, 20, 100), field.strict.origin);
    const tried = new Set<string>();
    const remove = site.fleet.rules.add(({ at, connection }) => {
      if (at !== "revoke" || tried.has(connection)) return null;
      tried.add(connection);
      return { status: 503, html: HTML };
    });
    const answers: Answer[] = [];
    let kills = 0;
    for (let from = 0; from < leavers.length; from += AT_ONCE) {
      const some = await Promise.all(leavers.slice(from, from + AT_ONCE).map((one) => site.disconnect(one)));
      answers.push(...some);
      // Every second time they live, and the provider alone has said no.
      if ((from / AT_ONCE) % 2 === 1) continue;
      const by = new Set(some.map((answer) => answer.by));
      const seats = site.fleet.seats("oauth-callback").filter((seat) => by.has(seatName(seat)));
      await Promise.all(seats.map((seat) => site.fleet.kill(seat)));
      kills += seats.length;
    }
    const pending = await sweepUntilNothingIsLeft(bench, site, leavers);
    remove();
    const { violations } = await verdict(field, site, leavers);
    const told = answers.filter(({ status }) => status === 200).length;
    const heard = leavers.filter((one) => revoked(field, one)).length;
    return [{
      scenario: "kill -9 after the answer to a disconnect",
      load: `${leavers.length} users disconnect, ${AT_ONCE} at a time`,
      faults:
        `${kills} processes killed right after their answers, every first revocation that was tried (${tried.size}) answered 503`,
      target: "the provider hears of each from the sweep, and nothing is kept afterwards",
      measured:
        `${told} of ${leavers.length} answered; ${heard} of ${leavers.length} revoked at the provider; ${pending} still kept; ${
          countOf(violations, ["resurrection"], leavers.length)
        }`,
      n: leavers.length,
      held: told === leavers.length && heard === leavers.length && pending === 0 && violations.length === 0,
      violations,
    }];
  },
};

/** Two users have connected one account. Revoking ends it for both, so only the last one to leave may. */
const shared: Scenario = {
  name: "two-users",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("leaving", SIZES);
    const count = size(bench, 12, 60);
    const pairs = await Promise.all(
      Array.from({ length: count }, () => field.connections.share(2, field.strict.origin)),
    );
    const all = pairs.flat();
    const inTurn = pairs.filter((_, index) => index % 2 === 0);
    const together = pairs.filter((_, index) => index % 2 === 1);
    const firsts = inTurn.flatMap(([first]) => first ?? []);
    const lasts = inTurn.flatMap(([, last]) => last ?? []);
    await Promise.all(firsts.map((one) => site.disconnect(one)));
    await sweepUntilNothingIsLeft(bench, site, firsts);
    const early = inTurn.flat().filter((one) => revoked(field, one)).length;
    await field.connections.expire(lasts);
    const going = await Promise.all(lasts.map((one) => site.search(one)));
    await Promise.all([...lasts, ...together.flat()].map((one) => site.disconnect(one)));
    const pending = await sweepUntilNothingIsLeft(bench, site, all);
    const { violations } = await verdict(field, site, all);
    const served = going.filter(({ status }) => status === 200).length;
    const ended = pairs.filter((pair) => pair.some((one) => revoked(field, one))).length;
    return [{
      scenario: "Two users of one account disconnect",
      load: `${count} accounts, ${inTurn.length} whose users leave in turn and ${together.length} at once`,
      faults: "none",
      target: "nothing revoked while one is left; revoked when the last one has left",
      measured:
        `${early} revoked early, ${served} of ${lasts.length} of those who stayed refreshed; ${ended} of ${count} accounts revoked at last; ${pending} tokens still kept; ${
          countOf(violations, FATAL, all.length)
        }`,
      n: count,
      held: early === 0 && served === lasts.length && ended === count && pending === 0 &&
        violations.length === 0,
      violations,
    }];
  },
};

export const revocations: readonly Scenario[] = [leaving, shared];
