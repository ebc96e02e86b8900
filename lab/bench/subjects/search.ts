import { difference } from "../figures.ts";
import { paired } from "../paired.ts";
import { only, type Subject, withFunctions } from "../subject.ts";

const OWN = "itself: verifying the caller, the way to the database and back, opening the token, the checks";
const LIBRARY = "our part: everything that the empty function has, the call included, is in both";

export const search: Subject = {
  name: "search",
  title: "A warm search",
  method:
    "One caller asks one thing after the other: the provider directly, an empty `withSupabase` function with one " +
    "`fetch`, a search that names its connection, one that does not. The token lives; the provider waits as long as told.",
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    const connection = only(await field.connections(1));
    const { id, headers } = connection;
    return await withFunctions(bench, ["search-persons", "with_supabase"], async (processes) => {
      const [ours, empty] = [only(processes).origin, only(processes, 1).origin];
      const bearer = { headers: { authorization: `Bearer ${connection.access_token}` } };
      const api = { ...field.search(field.provider_origin, bearer) };
      const direct = { ...api, url: api.url.replace("/search-persons", "/api/v2/persons/search") };
      const figures = [];
      for (const api_ms of pick({ tiny: [0], quick: [0, 40], full: [0, 40, 150] })) {
        await field.provider({ api_ms });
        const once = (target: typeof direct) => async () =>
          only((await field.ask({ targets: [target], callers: 1, count: 1 })).latencies);
        // The first rounds are the compiler's.
        const rounds = pick({ tiny: 4, quick: 60, full: 400 });
        const arms = {
          direct: once(direct),
          empty: once(field.search(empty, { headers })),
          named: once(field.search(ours, { id, headers })),
          unnamed: once(field.search(ours, { headers })),
        };
        await paired(Math.ceil(rounds / 10), arms);
        const took = await paired(rounds, arms);
        const at = `provider ${api_ms} ms`;
        const rows = [
          ["with `connection_id`", "named", "the direct call", "direct", OWN],
          ["without `connection_id`", "unnamed", "the direct call", "direct", OWN],
          ["with `connection_id`", "named", "empty `withSupabase`, one `fetch`", "empty", LIBRARY],
          [
            "without `connection_id`",
            "unnamed",
            "with `connection_id`",
            "named",
            "one statement more within the one call",
          ],
        ] as const;
        figures.push(...rows.map(([what, itself, against, control, limited_by]) =>
          difference({
            what: `${what}, ${at}`,
            against,
            unit: "ms",
            itself: took[itself],
            control: took[control],
            limited_by,
          })
        ));
      }
      await field.provider({ api_ms: 0 });
      return { figures };
    });
  },
};
