import { multiple } from "../figures.ts";
import type { FunctionProcess } from "../field/function_process.ts";
import type { Target } from "../field/load_process.ts";
import type { Connection } from "../field/connections.ts";
import { type Usage, usageOf } from "../field/usage.ts";
import { paired } from "../paired.ts";
import { type Bench, only, type Subject } from "../subject.ts";

const FUNCTIONS = ["search-persons", "oauth-callback", "refresh-token"] as const;
const CONTROLS = ["with_supabase", "empty"] as const;
type Name = typeof FUNCTIONS[number] | typeof CONTROLS[number];

interface Started extends Usage {
  readonly first_ms: number;
  readonly evaluated_ms: number;
}

export const start: Subject = {
  name: "start",
  title: "A cold start, and what it fills",
  method:
    "A process that is started and asked once, by a user with a token that lives: from the start to the last byte of the " +
    "answer, the part of it in which the modules are evaluated, and the memory that the process has then. Modules come " +
    "from this machine's disk, transpiled; the platform has them in one bundle.",
  on_each_runtime: true,
  async measure(bench) {
    const { field, pick } = bench;
    await field.provider({ api_ms: 0 });
    const rounds = pick({ tiny: 1, quick: 5, full: 30 });
    // A user may have only so many authorizations open at once.
    const connections = await field.connections(rounds + 1);
    const arm = (name: Name) => {
      let turn = 0;
      return () => startOne(bench, name, only(connections, turn++));
    };
    const found = await paired<Name, Started>(rounds, {
      "search-persons": arm("search-persons"),
      "oauth-callback": arm("oauth-callback"),
      "refresh-token": arm("refresh-token"),
      with_supabase: arm("with_supabase"),
      empty: arm("empty"),
    });
    const rows = [
      [
        "first answer",
        "first_ms",
        "ms",
        "starting a process: what an empty function takes is in all of them",
      ],
      ["module evaluation", "evaluated_ms", "ms", "what is imported, the libraries above all"],
      [
        "memory after the first answer",
        "rss_mb",
        "MB",
        "what is imported; V8 frees when it must, not when it could",
      ],
    ] as const;
    const against = { with_supabase: "empty `withSupabase`, one `fetch`", empty: "an empty function" };
    return {
      figures: rows.flatMap(([what, column, unit, limited_by]) =>
        FUNCTIONS.flatMap((name) =>
          CONTROLS.map((control) =>
            multiple({
              what: `${what}, \`${name}\``,
              against: against[control],
              unit,
              itself: found[name].map((one) => one[column]),
              control: found[control].map((one) => one[column]),
              limited_by,
            })
          )
        )
      ),
    };
  },
};

async function startOne({ field, runtime }: Bench, name: Name, connection: Connection): Promise<Started> {
  const began = performance.now();
  const process = await field.function(name, runtime);
  try {
    const { status } = await ask(
      requestOf(process, name, field.search(process.origin, connection), connection),
    );
    const first_ms = performance.now() - began;
    if (status >= 300) throw new Error(`${name} answered ${status}`);
    return { ...await usageOf(process.pid), first_ms, evaluated_ms: process.evaluated_ms };
  } finally {
    await process.stop();
  }
}

/** Something that each function does for a user without anything being due. */
function requestOf(
  { origin }: FunctionProcess,
  name: Name,
  search: Target,
  { id, headers }: Connection,
): Target {
  const post = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
  switch (name) {
    case "oauth-callback":
      return { ...post, url: `${origin}/oauth-callback/pipedrive/authorize`, body: "{}" };
    case "refresh-token":
      return { ...post, url: `${origin}/refresh-token`, body: JSON.stringify({ connection_id: id }) };
    default:
      return search;
  }
}

async function ask({ url, ...init }: Target): Promise<{ status: number }> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  return answer;
}
