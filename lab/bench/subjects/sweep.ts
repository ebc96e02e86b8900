import { moveExpiry } from "../field/connections.ts";
import type { Field } from "../field/field.ts";
import { type Count, type Figure, share } from "../figures.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";

const TOKEN_MS = 10;
/** As many as the control has under way at once: what the sweep has. */
const AT_ONCE = 40;
const IDLE_DAYS = 45;

export const sweep: Subject = {
  name: "sweep",
  title: "The sweep",
  method:
    `Connections that were not used for ${IDLE_DAYS} days, swept until none is due; token endpoint ${TOKEN_MS} ms. ` +
    `The control sends as many requests straight to the token endpoint, ${AT_ONCE} at once, and stores nothing.`,
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const sizes = pick({ tiny: [5, 10], quick: [10, 1_000], full: [10, 1_000, 10_000] });
    const connections = await field.connections(Math.max(...sizes));
    await field.provider({ token_ms: TOKEN_MS });
    const [figures, counts]: [Figure[], Count[]] = [[], []];
    await withFunctions(bench, ["refresh-token"], async (processes) => {
      for (const size of sizes) {
        const due = connections.slice(0, size);
        const rounds = pick({
          tiny: 1,
          quick: size < 100 ? 5 : 1,
          full: size < 100 ? 20 : size < 2_000 ? 5 : 3,
        });
        const straight = { url: `${field.provider_origin}/oauth/token`, method: "POST" };
        const rates = await paired(rounds, {
          control: async () => {
            const asked = await field.ask({ targets: [straight], callers: AT_ONCE, count: size }, 400);
            return size / asked.took_ms * 1_000;
          },
          sweep: async () => {
            await moveExpiry(field, due, { ends_in_ms: -1_000, due_in_ms: -61_000, idle_days: IDLE_DAYS });
            await field.provider();
            const began = performance.now();
            await sweepAll(field, only(processes).origin, size);
            const took_ms = performance.now() - began;
            const { token_requests } = await field.provider();
            counts.push({ what: "token requests", of: `${size} due`, count: token_requests });
            return size / took_ms * 1_000;
          },
        });
        figures.push(share({
          what: `refreshes a second, ${size.toLocaleString("en")} due`,
          against: `token requests alone, ${AT_ONCE} at once`,
          unit: "/s",
          itself: rates.sweep,
          control: rates.control,
          limited_by: "two commits each, and how many are under way at once; one process",
        }));
      }
    });
    await field.provider({ token_ms: 0 });
    return {
      figures,
      counts: counts.filter(({ of }, at) => counts.findIndex((one) => one.of === of) === at),
    };
  },
};

/** What the schedule does, until so many are refreshed. */
async function sweepAll({ keys }: Field, origin: string, due: number): Promise<void> {
  const headers = { apikey: keys.secret_key, "content-type": "application/json" };
  for (let refreshed = 0; refreshed < due;) {
    const answer = await fetch(`${origin}/refresh-token`, { method: "POST", headers, body: "{}" });
    if (!answer.ok) throw new Error(`the sweep answered ${answer.status}: ${await answer.text()}`);
    const swept = await answer.json();
    if (swept.refreshed === 0) throw new Error(`${due - refreshed} are left due: ${JSON.stringify(swept)}`);
    refreshed += swept.refreshed;
  }
}
