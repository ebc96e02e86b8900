import { assert, assertEquals } from "../assert.ts";
import { HOUR_MS, seal, sealed, type StorePromise, tally } from "./story.ts";

const PERMANENT = { class: "permanent", code: "invalid_grant" } as const;

/** How a refresh ends: success beats failure, and a refusal counts only if nothing can still succeed. */
export const endings: readonly StorePromise[] = [
  {
    promise: "commitRefresh() raises the version by one and leaves nothing of the lease",
    async keep(story) {
      const connection = await story.due();
      const lease = await story.lease(connection);
      const committed = await story.commit(connection, lease);
      const peek = await story.peek(connection);
      assertEquals(committed, { outcome: "committed", access_expires_at: peek.access_expires_at });
      assertEquals([peek.version, peek.busy_ms], [2, 0]);
      assertEquals(peek.access_token_sealed, seal("second-access"));
      assert(peek.fresh_in_ms > 0 && peek.refresh_in_ms > 0);
      await story.backdate(connection.id, { refresh_after: 1_000 });
      const next = await story.lease(connection, { seen_version: 2 });
      assertEquals(next.refresh_token_sealed, seal("second-refresh"));
    },
  },
  {
    promise: "commitRefresh() keeps the scope if none is given, else takes the new one",
    async keep(story) {
      const connection = await story.due();
      const scope = async () => (await story.store.connection(connection.id, null))?.scope;
      await story.commit(connection, await story.lease(connection), { scope: null });
      assertEquals(await scope(), ["base", "contacts:read"]);
      await story.backdate(connection.id, { refresh_after: 1_000 });
      await story.commit(connection, await story.lease(connection, { seen_version: 2 }), { scope: ["base"] });
      assertEquals(await scope(), ["base"]);
    },
  },
  {
    promise: "commitRefresh() repeated is recognised and changes nothing",
    async keep(story) {
      const connection = await story.due();
      const lease = await story.lease(connection);
      await story.commit(connection, lease);
      const again = await story.commit(connection, lease, sealed("third"));
      const { access_expires_at, access_token_sealed } = await story.peek(connection);
      assertEquals(again, { outcome: "already_committed", access_expires_at });
      assertEquals(access_token_sealed, seal("second-access"));
    },
  },
  {
    promise: "a late commit counts although the lease has gone to someone else",
    async keep(story) {
      const connection = await story.due();
      const late = await story.lease(connection);
      await story.leaseEnds(connection);
      const taker = await story.lease(connection);
      assertEquals((await story.commit(connection, late)).outcome, "committed");
      assertEquals((await story.fail(connection, taker, PERMANENT)).outcome, "superseded");
      assertEquals((await story.commit(connection, taker, sealed("third"))).outcome, "superseded");
      const peek = await story.peek(connection);
      assertEquals([peek.status, peek.version], ["active", 2]);
      assertEquals(peek.access_token_sealed, seal("second-access"));
    },
  },
  {
    promise: "of many commits of one version exactly one is stored",
    async keep(story) {
      const connection = await story.due();
      const lease = await story.lease(connection);
      const rivals = Array.from(
        { length: 10 },
        (_, n) => story.commit(connection, { ...lease, lease_id: crypto.randomUUID() }, sealed(`rival-${n}`)),
      );
      const outcomes = (await Promise.all(rivals)).map(({ outcome }) => outcome);
      assertEquals(tally(outcomes), { committed: 1, superseded: 9 });
      assertEquals((await story.peek(connection)).version, 2);
    },
  },
  {
    promise: "a refusal is final if no earlier attempt can still succeed",
    async keep(story) {
      const connection = await story.due();
      const lease = await story.lease(connection);
      assertEquals((await story.fail(connection, lease, PERMANENT)).outcome, "reauthorization_required");
      const peek = await story.peek(connection);
      assertEquals([peek.status, peek.version, peek.busy_ms], ["reauthorization_required", 1, 0]);
    },
  },
  {
    promise: "a refusal is not final while an earlier attempt may still commit",
    async keep(story) {
      const connection = await story.due();
      await story.lease(connection);
      await story.leaseEnds(connection);
      const taker = await story.lease(connection);
      const refusal = await story.fail(connection, taker, PERMANENT);
      assertEquals(refusal.outcome, "retry");
      assert(refusal.retry_in_ms > 0 && refusal.retry_in_ms <= 30_000);
      assertEquals((await story.peek(connection)).status, "active");
      assertEquals((await story.claim(connection)).outcome, "backoff");

      await story.backdate(connection.id, { unsettled_until: 1_000, next_attempt_at: 1_000 });
      const last = await story.lease(connection);
      assertEquals((await story.fail(connection, last, PERMANENT)).outcome, "reauthorization_required");
    },
  },
  {
    promise: "a late commit revives a connection that was given up",
    async keep(story) {
      const connection = await story.due();
      const late = await story.lease(connection);
      await story.leaseEnds(connection);
      const taker = await story.lease(connection);
      await story.backdate(connection.id, { unsettled_until: 1_000 });
      assertEquals((await story.fail(connection, taker, PERMANENT)).outcome, "reauthorization_required");
      assertEquals((await story.commit(connection, late)).outcome, "committed");
      assertEquals((await story.peek(connection)).status, "active");
    },
  },
  {
    promise: "a transient failure backs off for at least the wait, then may be claimed again",
    async keep(story) {
      const connection = await story.due();
      const { outcome, retry_in_ms } = await story.fail(connection, await story.lease(connection), {
        wait_ms: 120_000,
      });
      assertEquals(outcome, "retry");
      assert(retry_in_ms >= 119_000 && retry_in_ms <= 120_000);
      const claim = await story.claim(connection);
      assertEquals(claim.outcome, "backoff");
      assert(claim.retry_in_ms > 60_000 && claim.retry_in_ms <= 120_000);
      await story.backdate(connection.id, { next_attempt_at: 1 });
      await story.lease(connection);
    },
  },
  {
    promise: "a refusal after an ambiguous end is final at once",
    async keep(story) {
      const connection = await story.due();
      const unseen = await story.lease(connection);
      const ambiguous = { class: "ambiguous", code: "timeout", wait_ms: 60_000 } as const;
      assertEquals((await story.fail(connection, unseen, ambiguous)).outcome, "retry");
      await story.backdate(connection.id, { next_attempt_at: 1 });
      const last = await story.lease(connection);
      assertEquals((await story.fail(connection, last, PERMANENT)).outcome, "reauthorization_required");
    },
  },
  {
    promise: "a failure counts once, and only from the present holder",
    async keep(story) {
      const connection = await story.due();
      const stale = await story.lease(connection);
      await story.leaseEnds(connection);
      const holder = await story.lease(connection);
      assertEquals((await story.fail(connection, stale, PERMANENT)).outcome, "superseded");
      assert((await story.peek(connection)).busy_ms > 0);
      assertEquals((await story.fail(connection, holder)).outcome, "retry");
      assertEquals((await story.fail(connection, holder, PERMANENT)).outcome, "superseded");
      assertEquals((await story.peek(connection)).status, "active");
    },
  },
  {
    promise: "disconnecting beats a refresh in flight",
    async keep(story) {
      const connection = await story.due();
      const lease = await story.lease(connection);
      await story.disconnect(connection);
      assertEquals((await story.commit(connection, lease)).outcome, "disconnected");
      assertEquals((await story.fail(connection, lease, PERMANENT)).outcome, "superseded");
      const peek = await story.peek(connection);
      assertEquals([peek.status, peek.access_token_sealed], ["disconnected", null]);
    },
  },
  {
    promise: "connecting again beats a refresh in flight",
    async keep(story) {
      const request = story.connectRequest({ user_id: await story.user() });
      await story.store.connect(request);
      await story.backdate(request.id, { refresh_after: 1_000 });
      const lease = await story.lease(request);
      await story.store.connect({ ...request, ...sealed("again"), expires_in_ms: HOUR_MS });
      assertEquals((await story.commit(request, lease)).outcome, "superseded");
      assertEquals((await story.fail(request, lease, PERMANENT)).outcome, "superseded");
      const peek = await story.peek(request);
      assertEquals([peek.status, peek.busy_ms], ["active", 0]);
      assertEquals(peek.access_token_sealed, seal("again-access"));
    },
  },
  {
    promise: "a commit for a connection that is not there finds it disconnected",
    async keep(story) {
      const nobody = { id: crypto.randomUUID(), user_id: await story.user() };
      const commit = await story.commit(nobody, { lease_id: crypto.randomUUID(), version: 1 });
      assertEquals(commit.outcome, "disconnected");
    },
  },
];
