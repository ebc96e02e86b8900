import { difference, share } from "../figures.ts";
import type { Answered } from "../field/load_process.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";

const CALLERS = [1, 20, 200];
const LIMIT = "one process of the function: its event loop is full from 20 callers on";
const MACHINE = "callers, REST, database and provider share the processors with the function";

export const throughput: Subject = {
  name: "throughput",
  title: "Throughput",
  method:
    "Callers who ask again as soon as they are answered, for a turn, of a provider that does not wait. The row " +
    "that sets the empty `withSupabase` function against an empty one says what is left of what callers and runtime can do.",
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const { id, headers } = only(await field.connections(1));
    await field.provider({ api_ms: 0 });
    const names = ["search-persons", "with_supabase", "empty"];
    return await withFunctions(bench, names, async (processes) => {
      const [ours, library, empty] = [0, 1, 2].map((at) => only(processes, at).origin);
      const during_ms = pick({ tiny: 100, quick: 1_000, full: 4_000 });
      const rounds = pick({ tiny: 2, quick: 3, full: 10 });
      const figures = [];
      for (const callers of CALLERS) {
        const turn = (origin = "", named?: string) => () =>
          field.ask({ targets: [field.search(origin, { id: named, headers })], callers, during_ms });
        const arms = { ours: turn(ours, id), library: turn(library), empty: turn(empty) };
        const answered = await paired(rounds, arms);
        const at = `${callers} ${callers === 1 ? "caller" : "callers"}`;
        figures.push(
          share({
            what: `searches a second, ${at}`,
            against: "empty `withSupabase`, one `fetch`",
            unit: "/s",
            itself: answered.ours.map(rate),
            control: answered.library.map(rate),
            limited_by: LIMIT,
          }),
          share({
            what: `empty \`withSupabase\`, one \`fetch\`, ${at}`,
            against: "an empty function",
            unit: "/s",
            itself: answered.library.map(rate),
            control: answered.empty.map(rate),
            limited_by: MACHINE,
          }),
          difference({
            what: `a search's wait, ${at}`,
            against: "empty `withSupabase`, one `fetch`",
            unit: "ms",
            itself: answered.ours.flatMap(({ latencies }) => latencies),
            control: answered.library.flatMap(({ latencies }) => latencies),
            limited_by: "the queue before the function: the throughput above, the other way round",
          }),
        );
      }
      return { figures };
    });
  },
};

export function rate({ latencies, took_ms }: Answered): number {
  return latencies.length / took_ms * 1_000;
}
