import { moveExpiry } from "../field/connections.ts";
import { type Count, difference } from "../figures.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";

const TOKEN_MS = 150;
const API_MS = 40;
const HOUR_MS = 3_600_000;

export const herd: Subject = {
  name: "herd",
  title: "A herd",
  method:
    `Everybody asks at once, of several processes that share nothing: on a token that lives, on one in its soft window ` +
    `(due for a refresh, alive), on one that has expired. Token endpoint ${TOKEN_MS} ms, API ${API_MS} ms.`,
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const connection = only(await field.connections(1));
    await field.provider({ api_ms: API_MS, token_ms: TOKEN_MS });
    const [callers, processes] = pick({ tiny: [24, 2], quick: [500, 4], full: [500, 4] });
    const counts: Count[] = [];
    return await withFunctions(bench, Array(processes).fill("search-persons"), async (started) => {
      const targets = started.map(({ origin }) => field.search(origin, connection));
      const crowd = (state: string, ends_in_ms: number, due_in_ms: number) => async () => {
        await moveExpiry(field, [connection], { ends_in_ms, due_in_ms });
        await field.provider();
        const { latencies, statuses } = await field.askAny({ targets, callers, count: callers });
        // A refresh in the soft window runs on behind the answers.
        await new Promise((resolve) => setTimeout(resolve, 2 * TOKEN_MS));
        const { token_requests } = await field.provider();
        counts.push(
          { what: `token requests, ${state}`, of: `${callers} callers`, count: token_requests },
          ...Object.entries({ 200: 0, ...statuses }).map(([status, count]) => (
            { what: `answered ${status}, ${state}`, of: `${callers} callers`, count }
          )),
        );
        return latencies;
      };
      const rounds = pick({ tiny: 1, quick: 3, full: 20 });
      const took = await paired(rounds, {
        living: crowd("a living token", HOUR_MS, HOUR_MS / 2),
        soft: crowd("a token in its soft window", HOUR_MS / 20, -1_000),
        expired: crowd("an expired token", -1_000, -61_000),
      });
      await field.provider({ api_ms: 0, token_ms: 0 });
      const at = `${callers} callers, ${processes} processes`;
      const against = "the same crowd, a living token";
      const control = took.living.flat();
      return {
        counts: summed(counts),
        figures: [
          difference({
            what: `an expired token, ${at}`,
            against,
            unit: "ms",
            itself: took.expired.flat(),
            control,
            limited_by: `the token endpoint's ${TOKEN_MS} ms, then how soon the other processes look again`,
          }),
          difference({
            what: `a token in its soft window, ${at}`,
            against,
            unit: "ms",
            itself: took.soft.flat(),
            control,
            limited_by: "nobody waits for the refresh: what is left is the noise of a full machine",
          }),
        ],
      };
    });
  },
};

/** One line for each thing that was counted, with what was furthest from a good round: the fewest answers, the most of all else. */
function summed(counts: readonly Count[]): Count[] {
  const found = new Map<string, Count>();
  for (const one of counts) {
    const known = found.get(one.what);
    const worse = one.what.startsWith("answered 200") ? -1 : 1;
    if (known === undefined || worse * (one.count - known.count) > 0) found.set(one.what, one);
  }
  return [...found.values()];
}
