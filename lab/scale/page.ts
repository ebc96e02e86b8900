/** Measured here, on this machine: bytes a row with its indexes, and what one session of PostgreSQL takes. */
export interface Weights {
  readonly connection: number;
  readonly token_set: number;
  readonly event: number;
  /** Of one refresh: claim and commit. */
  readonly wal_bytes: number;
  readonly refresh_ms: number;
  readonly peek_ms: number;
}

export const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
/** What is not measured: the project's own constants, what others document, and what a reader may replace. */
export const GIVEN = {
  keep_alive_days: 30,
  hours_a_day: 10,
  searches_an_hour: 20,
  event_days: 90,
  sweep_minutes: 5,
  /** Less than the bench found, at 10,000 due. */
  sweep_rate: 400,
  sweep_seconds: 45,
  /** Of processor time: what the platform gives a request, and what a refresh takes in a sweep, in milliseconds. */
  request_cpu_ms: 2_000,
  refresh_cpu_ms: 2,
  purge_limit: 10_000,
  /** Of a warm search, by the bench. */
  search_cpu_ms: 0.69,
  free_disk_gb: 0.5,
  pro_disk_gb: 8,
  pro_invocations: 2_000_000,
} as const;

/** Refreshes that one sweep has the time for, on the wall and of the processor. */
const SWEEP = Math.min(GIVEN.sweep_rate * GIVEN.sweep_seconds, GIVEN.request_cpu_ms / GIVEN.refresh_cpu_ms);

/** Everything the page says of one size, in its own units. */
export function needs(connections: number, w: Weights) {
  const g = GIVEN;
  const idle_refreshes = connections / (g.keep_alive_days * 86_400);
  const busy_refreshes = connections / 3_600;
  const searches = connections * g.searches_an_hour / 3_600;
  const busy_statements = 2 * busy_refreshes + searches;
  const busy_events_a_day = connections * g.hours_a_day;
  const idle_events = connections * g.event_days / g.keep_alive_days;
  const rows_bytes = connections * (w.connection + w.token_set);
  return {
    idle_refreshes,
    due_a_sweep: idle_refreshes * g.sweep_minutes * 60,
    sweeps_used: idle_refreshes * g.sweep_minutes * 60 / SWEEP,
    idle_gb: (rows_bytes + idle_events * w.event) / 1e9,
    busy_refreshes,
    searches,
    busy_statements,
    sessions: (busy_refreshes * w.refresh_ms + searches * w.peek_ms) / 1_000,
    wal_gb_a_day: busy_events_a_day * w.wal_bytes / 1e9,
    busy_events_a_day,
    events_gb_a_day: busy_events_a_day * w.event / 1e9,
    busy_gb: (rows_bytes + busy_events_a_day * g.event_days * w.event) / 1e9,
    purges_a_sweep: busy_events_a_day / (24 * 60 / g.sweep_minutes) / g.purge_limit,
    isolates: searches * g.search_cpu_ms / 1_000,
    invocations_a_month: searches * 3_600 * g.hours_a_day * 30,
  };
}

type Needs = ReturnType<typeof needs>;

/** How a number is written: three digits that count. */
export function written(value: number): string {
  if (value >= 100) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  return String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}

const IDLE: readonly (readonly [string, keyof Needs])[] = [
  ["refreshes a second", "idle_refreshes"],
  ["due in each sweep", "due_a_sweep"],
  ["share of what a sweep can do", "sweeps_used"],
  ["GB, with 90 days of events", "idle_gb"],
];
const BUSY: readonly (readonly [string, keyof Needs])[] = [
  ["refreshes a second", "busy_refreshes"],
  ["searches a second", "searches"],
  ["SQL calls a second", "busy_statements"],
  ["PostgreSQL sessions at work", "sessions"],
  ["isolates at work", "isolates"],
  ["invocations a month", "invocations_a_month"],
  ["events a day", "busy_events_a_day"],
  ["GB of events a day", "events_gb_a_day"],
  ["GB of WAL a day", "wal_gb_a_day"],
  ["purges in each sweep", "purges_a_sweep"],
  ["GB, with 90 days of events", "busy_gb"],
];

function table(rows: typeof IDLE, w: Weights): string {
  const all = SIZES.map((size) => needs(size, w));
  const head = ["Connections", ...SIZES.map((size) => size.toLocaleString("en"))];
  const lines = rows.map(([name, key]) => [name, ...all.map((one) => written(one[key]))]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function page(w: Weights): string {
  const g = GIVEN;
  const limit = (size: number, what: string) => `| ${size.toLocaleString("en")} | ${what} |`;
  const [first, second, third, fourth] = SIZES.map((size) => needs(size, w));
  if (!first || !second || !third || !fourth) throw new Error("there are four sizes");
  return `# Scale

Written by \`deno task scale\`, which weighs rows and refreshes on a PostgreSQL of its own and does the arithmetic again. It is
paper: no project of such a size was run.

## What it stands on

| Figure | Value | From |
| --- | --- | --- |
| a connection, its indexes included | ${written(w.connection)} bytes | measured |
| a token set | ${
    written(w.token_set)
  } bytes | measured, with short tokens: longer ones add 4/3 of their length |
| an event | ${written(w.event)} bytes | measured |
| WAL of a refresh, without full pages | ${
    written(w.wal_bytes)
  } bytes | measured; the first write of a page after each checkpoint adds up to 8 kB |
| a refresh in one session, without HTTP | ${written(w.refresh_ms)} ms | measured on this machine |
| a look at the door in one session, without HTTP | ${written(w.peek_ms)} ms | measured on this machine |
| processor time of a warm search | ${g.search_cpu_ms} ms | [docs/performance.md](performance.md), Deno 2.1.4 |
| a sweep | ${g.sweep_rate} refreshes a second for ${g.sweep_seconds} s, every ${g.sweep_minutes} minutes | performance.md, refresh/sweep.ts, docs/operating.md |
| processor time of a refresh in a sweep | ${g.refresh_cpu_ms} ms | measured once, the database's client included |
| processor time of a request | ${
    g.request_cpu_ms / 1_000
  } s | <https://supabase.com/docs/guides/functions/limits> |
| an idle connection is refreshed | every ${g.keep_alive_days} days | providers/pipedrive.ts |
| an access token lives | an hour | Pipedrive |
| events of refreshes are kept | ${g.event_days} days | migrations |
| disk: free, and included in Pro | ${g.free_disk_gb} GB, ${g.pro_disk_gb} GB | <https://supabase.com/pricing> |
| invocations in Pro | ${
    g.pro_invocations.toLocaleString("en")
  } a month | <https://supabase.com/docs/guides/platform/manage-your-usage/edge-function-invocations> |
| a busy connection is used | ${g.hours_a_day} hours a day, ${g.searches_an_hour} searches an hour | assumed: replace it with yours |

## All idle

Nobody searches: the sweep alone keeps the authorizations alive. Refreshes a second are connections ÷ (${g.keep_alive_days} × 86,400),
due in each sweep × ${
    g.sweep_minutes * 60
  } s. A sweep has the time for ${g.sweep_rate} × ${g.sweep_seconds} = ${
    (g.sweep_rate * g.sweep_seconds).toLocaleString("en")
  }, but at ${g.refresh_cpu_ms} ms of processor time
each no more than ${SWEEP.toLocaleString("en")} fit into the ${
    g.request_cpu_ms / 1_000
  } s that the platform gives a request; what is left, the next one does.

${table(IDLE, w)}

## All busy at once

Refreshes a second are connections ÷ 3,600, SQL calls two for each and one for each search. Sessions at work are those times what one
takes; isolates searches × processor time. Events are one a refresh; ${
    g.purge_limit.toLocaleString("en")
  } are purged in one call.

${table(BUSY, w)}

## Which limit comes first

| Connections | All busy |
| --- | --- |
${
    limit(
      SIZES[0] ?? 0,
      `disk: ${written(first.busy_gb)} GB are past the free plan's ${g.free_disk_gb}, and ${
        written(first.invocations_a_month)
      } invocations past Pro's ${
        g.pro_invocations.toLocaleString("en")
      }, which are then paid by the million. PostgreSQL is at work for ${
        written(100 * first.sessions)
      } % of one session's time.`,
    )
  }
${
    limit(
      SIZES[1] ?? 0,
      `disk: ${
        written(second.busy_gb)
      } GB, nearly all of it events. Keep them for less, in \`oauth.kept_until\`, or partition them by month. The database does ${
        written(second.busy_statements)
      } calls a second, ${written(second.sessions)} of a session's time.`,
    )
  }
${
    limit(
      SIZES[2] ?? 0,
      `the database: ${written(third.busy_statements)} calls a second keep ${
        written(third.sessions)
      } sessions at work, and ${
        written(third.wal_gb_a_day)
      } GB of WAL a day ask for disk throughput: several processors of its own, and events partitioned (${
        written(third.events_gb_a_day)
      } GB a day). ${written(third.isolates)} isolates are at work.`,
    )
  }
${
    limit(
      SIZES[3] ?? 0,
      `the same, ten times: ${
        written(fourth.busy_statements)
      } calls a second are more than one PostgreSQL behind REST should be asked. Divide the users over projects; nothing here spans two connections.`,
    )
  }

All idle, one sweep every ${g.sweep_minutes} minutes does it all up to ${
    written(g.keep_alive_days * 86_400 / (g.sweep_minutes * 60) * SWEEP / 1e6)
  } million connections; two at once share the work.
A connection's cost does not grow with the number of others: no call looks at more rows because there are a million
(\`lab/bench/plans_test.ts\`), but for \`oauth.provider_health\`, which counts them all.
`;
}
