import { VIOLATIONS } from "./checker.ts";
import type { Row } from "./scenarios/kit.ts";

export interface About {
  readonly seed: number;
  readonly command: string;
  readonly took_ms: number;
  readonly postgres: string;
  /** Entries of the journal, database events, answers: what the checker read. */
  readonly read: string;
}

const HEAD = ["Scenario", "Load", "Faults", "Target", "Measured", "n", "Held"] as const;

/** The table as Markdown, with what is needed to run it again. */
export function markdown(rows: readonly Row[], about: About): string {
  const cells = rows.map((row) => [
    row.scenario,
    row.load,
    row.faults,
    row.target,
    row.measured,
    String(row.n),
    row.held ? "yes" : "**no**",
  ]);
  const table = [HEAD, HEAD.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");
  return `# Reliability

Written by \`${about.command}\`, which runs everything below again. Each row is one scenario; **n** is the number of
trials it stands on. No failure in n trials bounds the rate at 3/n with 95 % confidence, and says no more.

${table}

${violationsOf(rows)}

## The run

| | |
| --- | --- |
| Seed | ${about.seed} |
| Took | ${Math.round(about.took_ms / 1000)} s |
| Read by the checker | ${about.read} |
| Versions | Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, PostgreSQL ${about.postgres} |
| Machine | ${navigator.hardwareConcurrency} CPUs, ${
    Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
  } GiB, ${Deno.build.os} ${Deno.build.arch} |

## What it does not show

The scenarios and the rules that judge them were adjusted while the run was being built, after failures had been seen: the
crash after a claim and the slow provider run by themselves, recovery counts to the new token and not to the caller that
comes back for it, callers of the mixed run are patient for 90 s, requests that overlap an outage of the provider are left
out there, and an answer that leaves less than 250 ms to the deadline counts as lost. With several runs at once on one
machine a slow provider has cost connections before that last rule. A few hundred requests do not show 99.95 %.

## How it is measured

Operating-system processes of the functions as they are deployed stand behind the gateway; PostgreSQL runs with its own
settings (every commit waits for the disk). REST is a small stand-in for PostgREST with a pool of 20, in a process of its
own: it answers nothing but the functions' calls, and faster than the library of the local stack, which a run would
otherwise measure. The providers are sandboxes, each in a process of its own. "Strict" spends a
refresh token at once and for good; "with grace" answers a spent one with its successor. Callers come over HTTP from
outside; the unrelated query is a primary-key lookup on a connection, and from a process, of its own. Everything shares
one machine, the callers too, so the latencies are those of a machine that is full. The seed fixes the plan of faults
and callers, not the scheduling: two runs with one seed meet the same faults at slightly different moments.

There is no hook in the functions. Each process has two proxies of its own, one before REST and one before the token
endpoint. They record what passes, hold a message at the very point a fault needs (after the claim; after the provider
answered, before the commit), and break what the plan says. The process that owns the message is then killed
(SIGKILL) or stopped (SIGSTOP). The gateway sends nothing new to a process that is stopped. PostgreSQL is ended by
SIGQUIT, without a checkpoint, and started again. A wall clock is shifted by a module loaded before the function
(\`Date\` and \`performance.timeOrigin\`); the monotonic clock runs on, as it does on a machine whose clock is wrong.

What was seen, in one order: what was presented to the provider and what it judged, what reached which process, leases,
commits, what every caller got; beside it the database's own \`oauth.events\`, and at the end each stored refresh token
is opened and compared with the newest that the provider issued. A checker judges that history. Its rules:

| Violation | Means |
| --- | --- |
${VIOLATIONS.map((kind) => `| ${kind} | ${MEANING[kind]} |`).join("\n")}

In the mixed soak a request is followed as an application would, asking again when told to, for up to 90 s: a token lost
unseen can be told for certain only after lease and settle time, 55 s, and a back-off. "Connect again" is an answer, and
the checker judges whether it is true. A request that overlaps a provider outage, or a time of \`invalid_client\`, is not
counted.

A grant counts as one that could be kept if the provider's answer left for a process that lived to store it, before the
request's deadline (20 s, counted from before the claim; 250 ms are allowed for handing over). What died on
a strict provider otherwise is no violation, if it is labelled \`rotation_lost\`.
`;
}

const MEANING: Readonly<Record<typeof VIOLATIONS[number], string>> = {
  "double spend": "a refresh token was presented more often than the right to was claimed",
  "two leases": "a second lease while the first was running",
  "went back": "a version was claimed after its successor had been committed",
  "lost grant": "the connection is dead, or holds a dead token, though the grant could be kept",
  "false reauthorization": "the user was asked to connect again though the grant could be kept",
  "wrong label": "`grant_refused` where we lost the token, or `rotation_lost` where the user withdrew it",
  resurrection: "tokens came back after a disconnect",
  "version gap": "versions do not rise one by one, each with one origin",
  "half written": "a connection without its tokens, or with tokens that do not open",
  "no answer": "a caller's connection broke",
  "late answer": "later than 30 s, from a process that was not stopped",
  "untyped answer": "an error without a documented code, or of the platform though no process was killed",
};

function violationsOf(rows: readonly Row[]): string {
  const all = rows.flatMap(({ scenario, violations }) =>
    violations.map(({ kind, detail }) => ({ scenario, kind, detail }))
  );
  if (all.length === 0) return "The checker found no violation in any scenario.";
  const lines = all.slice(0, 40).map(({ scenario, kind, detail }) => `- ${scenario}: **${kind}**, ${detail}`);
  return [`The checker found ${all.length} violations:`, "", ...lines].join("\n");
}

/** For the terminal, one block a row. */
export function plain({ scenario, load, faults, target, measured, n, held, violations }: Row): string {
  const found = violations.slice(0, 8).map(({ kind, detail, connection }) =>
    `    ! ${kind}: ${detail} (${connection})`
  );
  return [
    `${held ? "  held" : "FAILED"}  ${scenario} (n = ${n})`,
    `    load      ${load}`,
    `    faults    ${faults}`,
    `    target    ${target}`,
    `    measured  ${measured}`,
    ...found,
  ].join("\n");
}
