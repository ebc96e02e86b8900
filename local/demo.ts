/**
 * `deno task demo`: the whole story on a stack of its own, told as a timeline with what each step cost. Exits 0 only
 * if every step held.
 */
import postgres from "postgres";
import { AppUser, type Connection } from "./stack/app_user.ts";
import type { SandboxControl } from "./sandbox/mod.ts";
import { type Stack, startStack } from "./stack/stack.ts";

const CALLERS = 50;

/** Prints each step with its outcome and its cost, and remembers whether all held. */
class Timeline {
  #step = 0;
  failed = false;

  constructor(private readonly control: SandboxControl) {
    console.log("\nOAuth and API: requests that Pipedrive received, for tokens and for data.\n");
    console.log(row("", "", "OAuth", "API", "ms"));
  }

  async step(what: string, act: () => Promise<string>): Promise<void> {
    this.#step += 1;
    const before = (await this.control.counts()).requests;
    const began = performance.now();
    let outcome: string;
    try {
      outcome = await act();
    } catch (error) {
      this.failed = true;
      outcome = `FAILED: ${error instanceof Error ? error.message : error}`;
    }
    const ms = Math.round(performance.now() - began);
    const after = (await this.control.counts()).requests;
    const more = (...kinds: (keyof typeof after)[]) =>
      kinds.reduce((sum, kind) => sum + after[kind] - before[kind], 0);
    const oauth = more("token:exchange", "token:refresh", "revoke");
    console.log(row(this.#step, what, oauth, more("search", "users/me"), ms));
    console.log(row("", `→ ${outcome}`));
  }
}

function row(step: unknown, what: string, ...figures: unknown[]): string {
  const cells = figures.map((figure) => String(figure).padStart(7)).join("");
  return `${String(step).padStart(3)}  ${figures.length > 0 ? what.padEnd(76) : what}${cells}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function expect(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(`expected ${sentence}`);
}

/** The code that a call which must fail ends with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  return await call.then(() => "no refusal", (error: Error) => error.message);
}

const began = performance.now();
console.log("Starting PostgreSQL 17, REST, Auth, the three functions and a Pipedrive sandbox …");
const stack = await startStack({
  instances: { "search-persons": 2 },
  onProgress: (line) => console.log(`  ${line}`),
});
const database = postgres(stack.database_url, { max: 1 });
try {
  Deno.exitCode = await tell(stack, database) ? 0 : 1;
} finally {
  await database.end();
  await stack.stop();
}
console.log(`\n${Math.round((performance.now() - began) / 1000)} s in all.`);

/** The story. Returns whether every step held. */
async function tell({ control, ...stack }: Stack, database: postgres.Sql): Promise<boolean> {
  if (!control) throw new Error("the story needs the sandbox");
  const timeline = new Timeline(control);
  const ana = new AppUser(stack);
  const ben = new AppUser(stack);
  let connection: Connection | undefined;

  await timeline.step("Ana signs up with the application", async () => {
    await ana.signUp("ana");
    return "she holds a Supabase login, and nothing of Pipedrive's";
  });

  await timeline.step(
    "She connects Pipedrive: consent page, redirect, completion in the same tab",
    async () => {
      connection = await ana.connect(control);
      expect(connection.status === "active", "an active connection");
      return `connected to ${connection.account.name}; the tokens are sealed in Postgres, the browser never saw them`;
    },
  );

  const id = () => {
    if (!connection) throw new Error("there is no connection");
    return connection.id;
  };
  const expire = () =>
    database`update oauth.connections set access_expires_at = now() - interval '1 second',
      refresh_after = now() - interval '5 minutes' where id = ${id()}`;
  const version = async () =>
    Number((await database`select version from oauth.connections where id = ${id()}`)[0]?.version);

  await timeline.step("She searches persons for “an”", async () => {
    const { data } = await ana.search("an");
    expect(data.items.length > 0, "persons");
    return `${data.items.length} persons, ${data.items[0]?.item.name} first`;
  });

  await timeline.step("An hour passes: the access token expires. She searches again", async () => {
    await control.advance_clock(3_600_000);
    await expire();
    const { data } = await ana.search("an");
    expect(data.items.length > 0, "persons");
    return "the same answer; the token was refreshed on the way and she did not notice";
  });

  await timeline.step("Minutes later Pipedrive refuses it early (401). She searches again", async () => {
    await database`update oauth.connections set refreshed_at = now() - interval '5 minutes' where id = ${id()}`;
    await control.expire_access_tokens();
    const { data } = await ana.search("an");
    expect(data.items.length > 0, "persons");
    return "the isolate's copy and the row's were refused, one refresh, sent again: one answer";
  });

  await timeline.step(
    `The token expires, and ${CALLERS} searches arrive at once, at two isolates`,
    async () => {
      await control.configure({ search_burst: null });
      const before = { counts: await control.counts(), version: await version() };
      await control.advance_clock(3_600_000);
      await expire();
      const answers = await Promise.all(Array.from({ length: CALLERS }, () => ana.search("an")));
      const after = { counts: await control.counts(), version: await version() };
      const refreshes = after.counts.requests["token:refresh"] - before.counts.requests["token:refresh"];
      expect(answers.every(({ data }) => data.items.length > 0), "persons in every answer");
      expect(refreshes === 1, `one refresh, not ${refreshes}`);
      expect(after.version === before.version + 1, "one new token set");
      expect(after.counts.reused === 0, "no refresh token presented twice");
      return `1 refresh of a single-use token, ${answers.length} answers`;
    },
  );

  await timeline.step("Ben, another user, asks for Ana's connection", async () => {
    await ben.signUp("ben");
    const refused = await refusal(ben.search("an", id()));
    const { data: seen } = await ben.supabase.from("oauth_connections").select();
    expect(refused === "CONNECTION_NOT_FOUND" && seen?.length === 0, "that it does not exist for him");
    return `${refused}; his select of oauth_connections has 0 rows`;
  });

  await timeline.step(
    "The token endpoint breaks down while her token still lives. She searches",
    async () => {
      const { requests } = await control.counts();
      await control.fail_next({ on: "token", how: "503", retry_after: 60 });
      await database`update oauth.connections set refresh_after = now() - interval '1 second' where id = ${id()}`;
      const { data } = await ana.search("an");
      expect(data.items.length > 0, "persons");
      // The refresh runs beside the answer; its failure belongs to this step.
      while ((await control.counts()).requests["token:refresh"] === requests["token:refresh"]) {
        await pause(10);
      }
      return "served with the token at hand; the refresh is tried again later";
    },
  );

  await timeline.step("She disconnects", async () => {
    const ended = await ana.disconnect(id());
    const [{ kept } = { kept: -1 }] = await database`select count(*)::int as kept from oauth.token_sets`;
    const refused = await refusal(ana.search("an"));
    expect(ended.status === "disconnected" && kept === 0, "that the tokens are erased");
    expect(refused === "CONNECTION_NOT_FOUND", `no further search, but got ${refused}`);
    // It follows the answer.
    const installed = async () => (await control.installations()).some(({ version }) => version > 0);
    for (let tries = 0; tries < 100 && await installed(); tries += 1) await pause(20);
    expect(!await installed(), "that the authorization is revoked");
    return "erased here, revoked at Pipedrive";
  });

  console.log(timeline.failed ? "\nA step did not hold." : "\nEvery step held.");
  return !timeline.failed;
}
