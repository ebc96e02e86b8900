/** Answers that are lost, broken or nonsense. */
import type { Connected } from "../field/connections.ts";
import type { Moment, Verdict } from "../field/moments.ts";
import type { Answer, Site } from "../field/site.ts";
import {
  BACK_OFF_MS,
  type Bench,
  countOf,
  FATAL,
  LEASE_MS,
  pause,
  type Scenario,
  SETTLE_MS,
  size,
  verdict,
} from "./kit.ts";

const PATIENCE_MS = LEASE_MS + 2 * SETTLE_MS + BACK_OFF_MS;
/** The strict one's definition is Pipedrive's. */
const TRAITS = {
  strict: {},
  lenient: { reuse_grace: 10 * 60 },
  revoking: { revokes_on_reuse: true },
} as const;
const HTML = "<html><title>Attention Required!</title></html>";
const KEPT = [...FATAL, "double spend"] as const;

/** What happens once to each connection, and where. */
export interface Mishap {
  readonly name: string;
  readonly at: Moment["at"];
  readonly side: Moment["side"];
  readonly verdict: Verdict;
}

/** Nothing the provider issued is lost by these: every grant can be kept. */
const HARMLESS: readonly Mishap[] = [
  { name: "token request lost on its way", at: "token", side: "arrived", verdict: "drop" },
  { name: "503 with HTML", at: "token", side: "arrived", verdict: { status: 503, html: HTML } },
  { name: "block page (403 HTML)", at: "token", side: "arrived", verdict: { status: 403, html: HTML } },
  { name: "500 with HTML", at: "token", side: "arrived", verdict: { status: 500, html: HTML } },
  { name: "200 with HTML", at: "token", side: "arrived", verdict: { status: 200, html: HTML } },
  { name: "claim's answer lost", at: "claim", side: "answered", verdict: "drop" },
  { name: "commit lost on its way", at: "commit", side: "arrived", verdict: "drop" },
  { name: "commit's answer lost", at: "commit", side: "answered", verdict: "drop" },
  { name: "failure's report lost", at: "fail", side: "answered", verdict: "drop" },
];

/** The provider has rotated, and nobody gets to read it. */
const ROTATED: readonly Mishap[] = [
  { name: "answer dropped", at: "token", side: "answered", verdict: "drop" },
  { name: "answer truncated", at: "token", side: "answered", verdict: "truncate" },
  {
    name: "answer replaced by 502 HTML",
    at: "token",
    side: "answered",
    verdict: { status: 502, html: HTML },
  },
  {
    name: "answer replaced by 200 HTML",
    at: "token",
    side: "answered",
    verdict: { status: 200, html: HTML },
  },
];

/** Each connection meets its mishap once; then callers insist. */
export async function suffer(
  bench: Bench,
  site: Site,
  connections: readonly Connected[],
  mishaps: readonly Mishap[],
  insist = (one: Connected, until: number) => site.insist(one, until),
): Promise<{ met: number; last: Answer[] }> {
  const waiting = new Map(connections.map(({ id }, index) => [id, mishaps[index % mishaps.length]]));
  let met = 0;
  const remove = site.fleet.rules.add(({ at, side, connection, outcome }) => {
    const mishap = waiting.get(connection);
    // A report of failure needs a failure first.
    if (mishap?.at === "fail" && at === "token" && side === "arrived") return { status: 503, html: HTML };
    if (mishap === undefined || mishap.at !== at || mishap.side !== side) return null;
    if (at === "claim" && side === "answered" && outcome !== "claimed") return null;
    waiting.delete(connection);
    met += 1;
    return mishap.verdict;
  });
  await bench.field.connections.expire(connections);
  const ends = performance.now() + PATIENCE_MS;
  const last = await Promise.all(connections.map(async (connection) => {
    await pause(bench.draw.between(0, 50 * connections.length));
    return await insist(connection, ends);
  }));
  remove();
  return { met, last };
}

interface Lost {
  readonly name: string;
  readonly words: string;
  readonly kind: keyof typeof TRAITS;
  readonly mishaps: readonly Mishap[];
  readonly expected: "kept" | "labelled";
}

function lost({ name, words, kind, mishaps, expected }: Lost): Scenario {
  return {
    name,
    run: async (bench) => {
      const { field } = bench;
      const site = await field.site(name, { "search-persons": 2 }, { traits: TRAITS[kind] });
      const per_mishap = size(bench, 6, 12);
      const connections = await field.connections.make(per_mishap * mishaps.length, field[kind].origin);
      const { met, last } = await suffer(bench, site, connections, mishaps);
      const { history, violations } = await verdict(field, site, connections);
      const served = last.filter(({ status }) => status === 200).length;
      const labelled =
        history.events.filter(({ code, kind }) =>
          kind === "reauthorization_required" && code === "rotation_lost"
        ).length;
      const good = expected === "kept" ? served : labelled;
      return [{
        scenario: `Lost answers, ${words}`,
        load: `${connections.length} expired connections, ${per_mishap} for each fault`,
        faults: `${met}: ${mishaps.map(({ name }) => name).join("; ")}`,
        target: expected === "kept"
          ? "0 lost grants that could be kept, 0 false reauthorizations"
          : "100 % labelled rotation_lost",
        measured: expected === "kept"
          ? `${served} of ${connections.length} served in the end; ${countOf(violations, KEPT, met)}`
          : `${labelled} of ${connections.length} labelled rotation_lost; ${
            countOf(violations, ["wrong label", "double spend"], met)
          }`,
        n: met,
        held: good === connections.length && met === connections.length && violations.length === 0,
        violations,
      }];
    },
  };
}

const unseen = { mishaps: HARMLESS, expected: "kept" } as const;
const rotated = { mishaps: ROTATED } as const;

export const lostAnswers: readonly Scenario[] = [
  lost({ name: "lost-harmless", words: "nothing rotated unseen", kind: "strict", ...unseen }),
  lost({
    name: "lost-harmless-revoking",
    words: "nothing rotated unseen, reuse revokes",
    kind: "revoking",
    ...unseen,
  }),
  lost({
    name: "lost-strict",
    words: "after a strict rotation",
    kind: "strict",
    expected: "labelled",
    ...rotated,
  }),
  lost({
    name: "lost-revoking",
    words: "after a rotation, reuse revokes",
    kind: "revoking",
    expected: "labelled",
    ...rotated,
  }),
  lost({
    name: "lost-lenient",
    words: "after a rotation with grace",
    kind: "lenient",
    expected: "kept",
    ...rotated,
  }),
];
