import { assert, assertEquals, assertRejects } from "../assert.ts";
import { HOUR_MS, seal, type StorePromise, tally, TIMINGS } from "./story.ts";

const MINUTE_MS = 60_000;

/** Who may look, and who may refresh. */
export const leases: readonly StorePromise[] = [
  {
    promise: "peek() shows a connection to its owner and to a secret key, and to nobody else",
    async keep(story) {
      const { id, user_id } = await story.connected();
      assertEquals((await story.store.peek(id, user_id, -1))?.status, "active");
      assertEquals((await story.store.peek(id, null, -1))?.status, "active");
      assertEquals(await story.store.peek(id, await story.user(), -1), null);
      assertEquals(await story.store.peek(crypto.randomUUID(), null, -1), null);
    },
  },
  {
    promise: "peek() brings the access token only if its version is newer than the one seen",
    async keep(story) {
      const connection = await story.connected();
      assertEquals((await story.peek(connection, 0)).access_token_sealed, seal("first-access"));
      assertEquals((await story.peek(connection, 1)).access_token_sealed, null);
    },
  },
  {
    promise: "peek() knows the leeway and the soft window by the token's life",
    async keep(story) {
      const hour = await story.peek(await story.connected());
      assertAbout(hour.expires_in_ms, HOUR_MS);
      assertAbout(hour.expires_in_ms - hour.fresh_in_ms, MINUTE_MS, 2);
      assertWithin(hour.expires_in_ms - hour.refresh_in_ms, 4 * MINUTE_MS - 2, 6 * MINUTE_MS + 2);

      const short = await story.peek(await story.connected({ expires_in_ms: 200_000 }));
      assertAbout(short.expires_in_ms - short.fresh_in_ms, 20_000, 2);
      assertWithin(short.expires_in_ms - short.refresh_in_ms, 32_000 - 2, 48_000 + 2);
    },
  },
  {
    promise: "what the exchange took is taken off the lifetime",
    async keep(story) {
      const connection = await story.connected({ expires_in_ms: HOUR_MS, elapsed_ms: 10 * MINUTE_MS });
      assertAbout((await story.peek(connection)).expires_in_ms, 50 * MINUTE_MS);
    },
  },
  {
    promise: "claimRefresh() leaves a fresh token alone and hands it out",
    async keep(story) {
      const claim = await story.claim(await story.connected());
      assertEquals(claim.outcome, "fresh");
      assertEquals(claim.access_token_sealed, seal("first-access"));
      assertEquals([claim.refresh_token_sealed, claim.lease_id], [null, null]);
    },
  },
  {
    promise: "claimRefresh() hands the refresh token of a due connection to one of many",
    async keep(story) {
      const connection = await story.due();
      const claims = await Promise.all(Array.from({ length: 20 }, () => story.claim(connection)));
      assertEquals(tally(claims.map(({ outcome }) => outcome)), { claimed: 1, busy: 19 });
      const tokens = claims.map(({ refresh_token_sealed }) => refresh_token_sealed);
      assertEquals(tokens.filter((token) => token !== null), [seal("first-refresh")]);
      assert(claims.every(({ outcome, retry_in_ms }) => outcome === "claimed" || retry_in_ms > 0));
      assertAbout((await story.peek(connection)).busy_ms, TIMINGS.lease_ms);
    },
  },
  {
    promise: "claimRefresh() is fresh for whoever saw an older version, without a look at the expiry",
    async keep(story) {
      const connection = await story.due();
      const claim = await story.claim(connection, { seen_version: 0, force: true });
      assertEquals([claim.outcome, claim.version], ["fresh", 1]);
    },
  },
  {
    promise: "claimRefresh() takes over from a holder whose lease has ended",
    async keep(story) {
      const connection = await story.due();
      const first = await story.lease(connection);
      await story.leaseEnds(connection);
      assertEquals((await story.peek(connection)).busy_ms, 0);
      const second = await story.lease(connection);
      assert(second.lease_id !== first.lease_id);
    },
  },
  {
    promise: "claimRefresh() refuses a lease that does not outlive its request by two seconds",
    async keep(story) {
      const connection = await story.due();
      await assertRejects(() => story.claim(connection, { request_ms: 20_000, lease_ms: 21_999 }));
      assertEquals((await story.peek(connection)).busy_ms, 0);
      await story.lease(connection, { request_ms: 20_000, lease_ms: 22_000 });
    },
  },
  {
    promise: "claimRefresh() of what cannot be refreshed says why",
    async keep(story) {
      const refused = await story.due();
      await story.fail(refused, await story.lease(refused), { class: "permanent", code: "invalid_grant" });
      const gone = await story.due();
      await story.disconnect(gone);
      const unknown = { id: crypto.randomUUID(), user_id: gone.user_id };
      const claims = await Promise.all([refused, gone, unknown].map((one) => story.claim(one)));
      assertEquals(claims.map(({ outcome }) => outcome), [
        "reauthorization_required",
        "disconnected",
        "not_found",
      ]);
      assert(claims.every(({ lease_id, refresh_token_sealed }) => !lease_id && !refresh_token_sealed));
    },
  },
  {
    promise: "a force refreshes what is fresh, for whoever saw the current version",
    async keep(story) {
      const connection = await story.connected();
      assertEquals((await story.claim(connection, { seen_version: 0, force: true })).outcome, "fresh");
      assertEquals((await story.claim(connection, { seen_version: 2, force: true })).outcome, "fresh");
      assertEquals((await story.claim(connection, { seen_version: 1, force: true })).outcome, "claimed");
      assertEquals((await story.claim(connection, { seen_version: 1, force: true })).outcome, "busy");
    },
  },
  {
    promise: "forces are allowed ten at once, then one a minute",
    async keep(story) {
      const connection = await story.connected();
      const force = (seen_version: number) => story.lease(connection, { seen_version, force: true });
      for (let version = 1; version <= 10; version += 1) {
        await story.commit(connection, await force(version));
      }
      assertEquals((await story.claim(connection, { seen_version: 11, force: true })).outcome, "fresh");
      await story.backdate(connection.id, { forced_until: -9 * MINUTE_MS });
      await story.commit(connection, await force(11));
      assertEquals((await story.claim(connection, { seen_version: 12, force: true })).outcome, "fresh");
    },
  },
  {
    promise: "a force that was not needed leaves the allowance alone",
    async keep(story) {
      const connection = await story.connected();
      for (let version = 1; version <= 12; version += 1) {
        await story.backdate(connection.id, { refresh_after: 1_000 });
        await story.commit(connection, await story.lease(connection, { seen_version: version, force: true }));
      }
      assertEquals((await story.claim(connection, { seen_version: 13, force: true })).outcome, "claimed");
    },
  },
  {
    promise: "claimDue() leases what was long idle and what is unfinished, and nothing else",
    async keep(story) {
      const due = { provider: story.provider, limit: 10, idle_ms: HOUR_MS, ...TIMINGS };
      const idle = await story.connected();
      await story.backdate(idle.id, { refreshed_at: HOUR_MS + 1 });
      const unfinished = await story.due();
      await story.fail(unfinished, await story.lease(unfinished), { wait_ms: MINUTE_MS });
      await story.backdate(unfinished.id, { next_attempt_at: 1 });
      const abandoned = await story.due();
      await story.lease(abandoned);
      await story.leaseEnds(abandoned);

      const backing_off = await story.due();
      await story.fail(backing_off, await story.lease(backing_off), { wait_ms: MINUTE_MS });
      const leased = await story.due();
      await story.lease(leased);
      const gone = await story.connected();
      await story.backdate(gone.id, { refreshed_at: HOUR_MS + 1 });
      await story.disconnect(gone);
      await story.due(); // merely expired: left to whoever needs it
      const elsewhere = await story.connected({ provider: `${story.provider.slice(0, 30)}-other` });
      await story.backdate(elsewhere.id, { refreshed_at: HOUR_MS + 1 });

      const claims = await story.store.claimDue(due);
      assertEquals(claims.map(({ id }) => id).sort(), [idle.id, unfinished.id, abandoned.id].sort());
      assertEquals(tally(claims.map(({ outcome }) => outcome)), { claimed: 3 });
      assertEquals(await story.store.claimDue(due), []);
    },
  },
  {
    promise: "claimDue() gives each connection to one of two sweepers, and no more than the limit",
    async keep(story) {
      for (let n = 0; n < 5; n += 1) {
        const { id } = await story.connected();
        await story.backdate(id, { refreshed_at: HOUR_MS + 1 });
      }
      const due = { provider: story.provider, limit: 2, idle_ms: HOUR_MS, ...TIMINGS };
      const rounds = await Promise.all([story.store.claimDue(due), story.store.claimDue(due)]);
      const rest = await story.store.claimDue({ ...due, limit: 10 });
      assert(rounds.every((claims) => claims.length <= 2));
      const ids = [...rounds, rest].flat().map(({ id }) => id);
      assertEquals([ids.length, new Set(ids).size], [5, 5]);
    },
  },
];

/** Time passes on a real database: up to a minute may have. */
function assertAbout(actual: number, expected: number, slack = MINUTE_MS): void {
  assertWithin(actual, expected - slack, expected + Math.min(slack, 2));
}

function assertWithin(actual: number, least: number, most: number): void {
  assert(actual >= least && actual <= most, `${actual} is not from ${least} to ${most}`);
}
