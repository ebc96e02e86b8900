import { assert, assertEquals } from "../../tests/support/assert.ts";
import { CALLERS, type Life, tally, until } from "./life.ts";

/** One promise, and how it is kept: each goes on where the one before it has ended. */
export type Promised = readonly [promise: string, keep: (life: Life) => Promise<void>];

const SERVED = { "200": CALLERS };
const ENDED = { REAUTHORIZATION_REQUIRED: CALLERS };
/** Lives of access tokens, in seconds: one whose end is waited for, and one whose end is not. */
const [SHORT, LONG] = [3, 3_600];
/** What is left of an access token in its last minutes, in seconds. */
const LITTLE = 600;

interface Asked {
  readonly token_requests: number;
  readonly refused: number;
  readonly account_requests: number;
}

/** What `work` adds to what was asked of the stranger. */
async function added({ stranger }: Life, work: () => Promise<void>): Promise<Asked> {
  const look = () =>
    Promise.all([stranger.token_requests(), stranger.refused(), stranger.account_requests()]);
  const before = await look();
  await work();
  const after = await look();
  return {
    token_requests: after[0] - before[0],
    refused: after[1] - before[1],
    account_requests: after[2] - before[2],
  };
}

/** Connects, with an access token that lives so many seconds; those of later refreshes live long. */
async function connect(life: Life, seconds: number): Promise<void> {
  const { stranger } = life;
  await stranger.live_for(seconds);
  const { status, account, provider } = await life.connect();
  await stranger.live_for(LONG);
  assertEquals([status, account.id, account.name, provider], ["active", "jane", "Jane", life.provider]);
  assertEquals(await stranger.grants(), 1);
}

/** In place, whatever has become of the authorization before: there it is ended. */
async function connectAgain(life: Life, seconds: number): Promise<void> {
  const before = life.id;
  await life.stranger.end_grant();
  await connect(life, seconds);
  assertEquals(life.id, before);
}

/** All are served, some by the one process and some by the other. */
async function serveAll(life: Life): Promise<void> {
  const answers = await life.herd();
  assertEquals(tally(answers), SERVED);
  assertEquals(new Set(answers.map(({ process }) => process)).size, 2);
}

async function endAll(life: Life): Promise<void> {
  assertEquals(tally(await life.herd()), ENDED);
  assertEquals(await life.status(), "reauthorization_required");
}

async function serveWhileItLives(life: Life): Promise<void> {
  await life.stranger.down();
  await life.leave(LITTLE);
  await serveAll(life);
  await life.failed();
}

async function disconnect(life: Life): Promise<void> {
  const { stage: { sql }, stranger } = life;
  assertEquals(await stranger.grants(), 1);
  assertEquals((await life.disconnect()).status, "disconnected");
  await until(async () => await stranger.grants() === 0);
  const left = async () =>
    (await sql`select 1 from oauth.revocations where connection_id = ${life.id}`).length;
  await until(async () => await left() === 0);
  assertEquals((await sql`select 1 from oauth.token_sets where connection_id = ${life.id}`).length, 0);
  const { status, code } = await life.call();
  assertEquals([status, code], [404, "CONNECTION_NOT_FOUND"]);
}

/** Where a refresh token works once. */
export const ROTATING: readonly Promised[] = [
  ["connects", (life) => connect(life, SHORT)],

  ["the access token has expired: one token request, and everybody is served", async (life) => {
    await life.ended();
    const { token_requests, refused } = await added(life, () => serveAll(life));
    assertEquals([token_requests, refused], [1, 0]);
  }],

  ["the API refuses it before its time: the same", async (life) => {
    await life.pass();
    await life.stranger.expire();
    const { token_requests, refused } = await added(life, () => serveAll(life));
    assertEquals([token_requests, refused], [1, 0]);
  }],

  ["the grant was ended there: one token request finds it out, and everybody is told", async (life) => {
    await life.pass();
    await life.stranger.end_grant();
    const { token_requests, refused } = await added(life, () => endAll(life));
    assertEquals([token_requests, refused], [1, 1]);
  }],

  ["connected again in place", async (life) => {
    await connectAgain(life, LONG);
    await serveAll(life);
  }],

  ["the server is down while the access token lives: everybody is served", serveWhileItLives],

  ["down, and expired: told when to come back, and nothing ends", async (life) => {
    await life.leave(-1);
    const { status, code, retry_after } = await life.call();
    assertEquals([status, code], [503, "PROVIDER_UNAVAILABLE"]);
    assert(retry_after !== null && retry_after >= 1, `Retry-After: ${retry_after}`);
    assertEquals(await life.status(), "active");
  }],

  ["up again: one token request, and everybody is served", async (life) => {
    const { token_requests, refused } = await added(life, async () => {
      await life.stranger.up();
      await life.pass();
      await serveAll(life);
    });
    assertEquals([token_requests, refused], [1, 0]);
  }],

  ["disconnected: revoked there", disconnect],
];

/** Where what the access token cannot do any more nothing can. */
export const WITHOUT_REFRESH_TOKEN: readonly Promised[] = [
  ["connects", (life) => connect(life, LONG)],

  ["the server is down while the access token lives: everybody is served", async (life) => {
    // Nothing is due before its end.
    const { token_requests, account_requests } = await added(life, async () => {
      await life.stranger.down();
      await serveAll(life);
    });
    assertEquals([token_requests, account_requests], [0, 0]);
    await life.stranger.up();
  }],

  ["refused at one path, accepted by the account request: nothing ends", async (life) => {
    await life.pass();
    const { token_requests, account_requests } = await added(life, async () => {
      const { status, code } = await life.call("/closed");
      assertEquals([status, code], [503, "PROVIDER_UNAVAILABLE"]);
    });
    assertEquals([token_requests, account_requests], [0, 1]);
    assertEquals(await life.status(), "active");
    await serveAll(life);
  }],

  ["refused by both: it is over, and everybody is told", async (life) => {
    await life.pass();
    await life.stranger.expire();
    const { token_requests, account_requests } = await added(life, () => endAll(life));
    // Twice, by one for all: an incident of one moment ends nothing.
    assertEquals([token_requests, account_requests], [0, 2]);
  }],

  ["connected again in place", async (life) => {
    await connectAgain(life, LONG);
    await serveAll(life);
  }],

  ["past its known end: it is over, and nobody is asked", async (life) => {
    await connectAgain(life, SHORT);
    await life.ended();
    const { token_requests, account_requests } = await added(life, () => endAll(life));
    assertEquals([token_requests, account_requests], [0, 0]);
  }],

  ["connected again, and disconnected: revoked there", async (life) => {
    await connectAgain(life, LONG);
    await disconnect(life);
  }],
];
