import { LARGE_PAGE } from "../field/pages.ts";
import { difference, share } from "../figures.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";
import { rate } from "./throughput.ts";

const CALLERS = 20;

export const page: Subject = {
  name: "page",
  title: "A large page",
  method:
    `${CALLERS} callers ask for a page of ${
      Math.round(LARGE_PAGE.length / 1_000)
    } kB, for a turn; the empty ` +
    "function passes it on without a look at it.",
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const { id, headers } = only(await field.connections(1));
    await field.provider({ api_ms: 0 });
    return await withFunctions(bench, ["search-persons", "with_supabase"], async (processes) => {
      const during_ms = pick({ tiny: 100, quick: 1_000, full: 4_000 });
      const turn = ({ origin }: typeof processes[number], named?: string) => () =>
        field.ask({
          targets: [field.search(origin, { id: named, headers }, 500)],
          callers: CALLERS,
          during_ms,
        });
      const rounds = pick({ tiny: 2, quick: 3, full: 10 });
      const arms = { ours: turn(only(processes), id), empty: turn(only(processes, 1)) };
      const { ours, empty } = await paired(rounds, arms);
      const against = "empty `withSupabase`, one `fetch`";
      return {
        figures: [
          share({
            what: "pages a second",
            against,
            unit: "/s",
            itself: ours.map(rate),
            control: empty.map(rate),
            limited_by:
              "what is done with each byte: holding, decoding, parsing; and the copies between five processes",
          }),
          difference({
            what: "a page's wait",
            against,
            unit: "ms",
            itself: ours.flatMap(({ latencies }) => latencies),
            control: empty.flatMap(({ latencies }) => latencies),
            limited_by: "the queue before the function: the row above, the other way round",
          }),
        ],
      };
    });
  },
};
