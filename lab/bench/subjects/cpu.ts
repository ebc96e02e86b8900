import { difference, multiple } from "../figures.ts";
import { usageOf } from "../field/usage.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";

const CALLERS = 4;

export const cpu: Subject = {
  name: "cpu",
  title: "Processor time, and memory under load",
  method:
    "What `/proc/<pid>/stat` says that the function's process used for a turn of warm searches, by request; and its memory then.",
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const { id, headers } = only(await field.connections(1));
    await field.provider({ api_ms: 0 });
    return await withFunctions(bench, ["search-persons", "with_supabase"], async (processes) => {
      const [ours, empty] = [only(processes), only(processes, 1)];
      const count = pick({ tiny: 40, quick: 1_000, full: 4_000 });
      const used = ({ pid, origin }: typeof ours, named?: string) => async () => {
        const before = await usageOf(pid);
        await field.ask({ targets: [field.search(origin, { id: named, headers })], callers: CALLERS, count });
        const { cpu_ms, rss_mb } = await usageOf(pid);
        return { cpu_us: (cpu_ms - before.cpu_ms) / count * 1_000, rss_mb };
      };
      const rounds = pick({ tiny: 2, quick: 3, full: 10 });
      const arms = { ours: used(ours, id), without: used(ours), empty: used(empty) };
      const used_by = await paired(rounds, arms);
      const itself = used_by.ours.map(({ cpu_us }) => cpu_us);
      const control = used_by.empty.map(({ cpu_us }) => cpu_us);
      const against = "empty `withSupabase`, one `fetch`";
      const what = "a warm search with `connection_id`";
      const limited_by = "the clock's step of 10 ms, divided by the requests of a turn";
      return {
        figures: [
          difference({ what, against, unit: "µs", itself, control, limited_by }),
          multiple({ what, against, unit: "µs", itself, control, limited_by }),
          difference({
            what: "a warm search without `connection_id`",
            against: "with `connection_id`",
            unit: "µs",
            itself: used_by.without.map(({ cpu_us }) => cpu_us),
            control: itself,
            limited_by,
          }),
          difference({
            what: "memory under this load",
            against,
            unit: "MB",
            itself: used_by.ours.map(({ rss_mb }) => rss_mb),
            control: used_by.empty.map(({ rss_mb }) => rss_mb),
            limited_by: "what is imported, and what V8 does not give back while it need not",
          }),
        ],
      };
    });
  },
};
