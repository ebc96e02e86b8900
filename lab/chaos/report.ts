import { VIOLATIONS } from "./checker.ts";
import type { Row } from "./scenarios/kit.ts";
import { INSIST_MS } from "./scenarios/mixed/application.ts";

export interface About {
  readonly seed: number;
  readonly command: string;
  readonly took_ms: number;
  readonly postgres: string;
  /** What the processor calls itself. */
  readonly cpu: string;
  /** Entries of the journal, database events, answers: what the checker read. */
  readonly read: string;
}

const PATIENCE_S = INSIST_MS / 1_000;
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
    !row.held ? "**no**" : row.in_time === false ? "**late**" : "yes",
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
| Machine | ${navigator.hardwareConcurrency} CPUs (${about.cpu}), ${
    Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
  } GiB, ${Deno.build.os} ${Deno.build.arch} |

## What the runs have found

- **An answer thrown away.** A process that got no time to run for less than a second, just as its request's 20 s were
  over, gave the request up before it read the answer that already lay in its socket: the grant was lost, and the user
  asked to connect again. It showed as one lost connection with a slow provider on a crowded machine, and in 12 of 12
  requests once the stop was made on purpose. Now the process listens for one more second, which the lease has to spare;
  the row "A process without time to run at the request's deadline" is that stop.
- **A rule that hid it.** The checker had excused what left less than 250 ms before the deadline. It does so no more: what
  left within 20 s of the claim's answer must be kept.
- **A deployment that killed.** The simulated rolling deployment ended processes after a fixed time, requests under way
  included. Now, as on the platform, a replaced process first answers its requests and ends what it does behind them.
- **A clock that was right.** \`deno serve\` takes \`--preload\` and ignores it, so that no clock had been shifted. The
  row "Clock skew" now counts what the processes themselves say of their clocks.
- **A request that found another owner.** What a process had sent just before it was killed was read by its proxy just
  afterwards, and taken for its successor's: a rotation that nobody could keep counted as one that somebody had. That
  is how a soak could tell of a user asked to connect again for nothing, as one of three did. Now each process has
  proxies of its own.
- **A request cut short.** A process in a crowd counted a request's 20 s from before its claim, which had waited. Now it
  counts them from the claim's answer, and so does the checker.
- **A database that says no.** REST turned read-only, or a standby, for seconds between rotation and commit, cost every
  connection that was refreshed in them: the commit was sent once. The stand-in answers as PostgREST does since, the
  rows "… between claim and commit" and "A wrong status …" are that.
- **An end that the checker did not know.** A soak told four times of a second lease while the first was running, each
  time at the first claim of a version. A write of tokens ends every lease on the version before it, that of whoever took
  over included, when an earlier holder's success comes late. The database knew; the checker did not, and does now.

## Why the rules are as they are

- **What has a target in milliseconds runs alone**, and so does what breaks what all share (the database, the keys).
  The others run side by side, the slow provider among them, which the soak has too. Continuous integration also runs
  the crash after a claim beside others, where only its time is not judged.
- **A recovery ends when the caller is served**, not when the token is stored.
- **In the soak a request is followed for ${PATIENCE_S} s**: two leases, settle time and one call. So long the protocol
  itself may forbid to say whether a rotation was lost (a second attempt can be lost while the first is waited out), and
  an earlier "connect again" would be the false answer. What is answered within 10 s is told beside it.
- **Requests that overlap an outage of the provider are not counted**, because the target speaks of those outside; the
  share of all of them is told beside it.
- **Held** speaks of promises and counts; a target in milliseconds that was missed says **late**. Continuous integration
  runs the same scenarios at small n and judges only the former.

## What it does not show

- Scenarios and rules were adjusted while the run was being built, after failures had been seen. The last of it: the
  crash after a claim runs alone again (beside others on a busy machine callers were served after 31 s); an answer that
  the slow provider gave after the deadline counts as **late**, and the checker alone says whether its grant was lost;
  takeovers after a stop are no failure where reuse revokes (a claim whose answer was read too late sends nothing); the
  soak follows a request for two leases, not one, since one of three soaks had two requests without an
  answer; a trap holds repeated requests too; an outage lasts until the requests that belong to its time were sent.
- Everything shares one machine with its callers: the latencies are those of a machine that is full, and no network loses
  anything by itself.
- REST is a small stand-in for PostgREST (pool of 20) and not the library of the local stack, which answers a tenth as
  many calls a second (194 to 1,950, 20 at a time) and would be what is measured. The end-to-end tests use the library.
- Where reuse revokes, a process that stands still for longer than the lease of 60 s with the answer unread costs the
  connection, as the model shows (\`deno task model\`): no run repeats it.
- The provider is a sandbox. What the real one does on reuse, nobody has promised.

## How it is measured

Operating-system processes of the functions as they are deployed stand behind the gateway; PostgreSQL runs with its own
settings (every commit waits for the disk). REST and the providers have a process each. A "strict" provider spends a
refresh token at once and for good; one "with grace" answers a spent one with its successor; where "reuse revokes", a
spent one that is presented ends the whole authorization. The functions know which by the provider's definition alone.
Callers come over HTTP from outside; the unrelated query is a primary-key lookup on a connection, and from a process, of
its own. The seed fixes the plan of faults and callers, not the scheduling: two runs with one seed meet the same faults
at slightly different moments.

There is no hook in the functions. Each process has two proxies of its own, one before REST and one before the token
endpoint; a module loaded before the function sends its calls there, while all are told the same addresses. Mere reads
pass the former by. They record what passes, hold a message at the very point a fault needs (after the claim; after the provider
answered, before the commit), and break what the plan says. The process that owns the message is then killed
(SIGKILL) or stopped (SIGSTOP). The gateway sends nothing new to a process that is stopped. REST gives the statuses and bodies of PostgREST's own
table; a database that is read-only is PostgreSQL refusing to write, a standby and a schema without our functions are
what PostgREST says of them. A clock that was set back is rows moved an hour ahead. PostgreSQL is ended by
SIGQUIT, without a checkpoint, and started again. A wall clock is shifted by a module loaded before the function
(\`Date\` and \`performance.timeOrigin\`); the monotonic clock runs on, as it does on a machine whose clock is wrong.

What was seen, in one order: what was presented to the provider and what it judged, what reached which process, leases,
commits, what every caller got; beside it the database's own \`oauth.events\`, and at the end each stored refresh token
is opened and compared with the newest that the provider issued. A checker judges that history. Its rules:

| Violation | Means |
| --- | --- |
${VIOLATIONS.map((kind) => `| ${kind} | ${MEANING[kind]} |`).join("\n")}

In the mixed soak "connect again" is an answer, and the checker judges whether it is true.

A grant counts as one that could be kept if the provider's answer left for a process that lived to store it, before the
request's deadline, 20 s after its claim's answer passed by. What died otherwise, where a spent token is refused, is no violation
if it is labelled \`rotation_lost\`.
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

/** Every promise held, and every target in milliseconds was met. */
export function isGood({ held, in_time }: Row): boolean {
  return held && in_time !== false;
}

/** For the terminal, one block a row. */
export function plain(
  { scenario, load, faults, target, measured, n, held, in_time, violations }: Row,
): string {
  const found = violations.slice(0, 8).map(({ kind, detail, connection }) =>
    `    ! ${kind}: ${detail} (${connection})`
  );
  return [
    `${!held ? "FAILED" : in_time === false ? "  LATE" : "  held"}  ${scenario} (n = ${n})`,
    `    load      ${load}`,
    `    faults    ${faults}`,
    `    target    ${target}`,
    `    measured  ${measured}`,
    ...found,
  ].join("\n");
}
