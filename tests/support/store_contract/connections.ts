import { assert, assertEquals, assertExists, assertRejects } from "../assert.ts";
import { seal, sealed, type StorePromise } from "./story.ts";

/** Connecting, what the owner sees, disconnecting, and a change of keys. */
export const connections: readonly StorePromise[] = [
  {
    promise: "connection() shows the owner what is not secret, and others nothing",
    async keep(story) {
      const { id, user_id, account_key } = await story.connected();
      const connection = await story.store.connection(id, user_id);
      assertExists(connection);
      const { created_at, updated_at, access_expires_at, ...rest } = connection;
      assertEquals(rest, {
        id,
        provider: story.provider,
        status: "active",
        account: { id: account_key, name: "Acme", email: "jane@acme.example" },
        scope: ["base", "contacts:read"],
      });
      for (const time of [created_at, updated_at, access_expires_at]) assert(Date.parse(time ?? "") > 0);
      assertEquals(await story.store.connection(id, await story.user()), null);
      assertEquals((await story.store.connection(id, null))?.id, id);
    },
  },
  {
    promise: "an account without name or e-mail has none",
    async keep(story) {
      const { id, account_key } = await story.connected({ account_name: null, account_email: null });
      assertEquals((await story.store.connection(id, null))?.account, { id: account_key });
    },
  },
  {
    promise:
      "connectionsOf() lists a user's connections at a provider, oldest first, without disconnected ones",
    async keep(story) {
      const user_id = await story.user();
      const first = await story.due({ user_id });
      const second = await story.connected({ user_id });
      const gone = await story.connected({ user_id });
      await story.disconnect({ id: gone.id, user_id });
      await story.connected({ user_id, provider: `${story.provider.slice(0, 30)}-other` });
      await story.connected();
      const lease = await story.lease(first);
      await story.fail(first, lease, { class: "permanent", code: "invalid_grant" });
      const listed = await story.store.connectionsOf(user_id, story.provider);
      assertEquals(
        new Map(listed.map(({ id, status }) => [id, status])),
        new Map([
          [first.id, "reauthorization_required" as const],
          [second.id, "active" as const],
        ]),
      );
      const times = await Promise.all(
        listed.map(async ({ id }) =>
          Date.parse((await story.store.connection(id, user_id))?.created_at ?? "")
        ),
      );
      assertEquals(times, times.toSorted((one, other) => one - other));
    },
  },
  {
    promise: "connect() again updates in place, out of whatever state it was in",
    async keep(story) {
      const request = story.connectRequest({ user_id: await story.user() });
      await story.store.connect(request);
      assertEquals((await story.peek(request)).version, 1);
      await story.disconnect(request);
      const again = { ...request, ...sealed("again"), account_name: "Acme Ltd", scope: ["base"] };
      const connected = await story.store.connect(again);
      assertEquals((await story.peek(request)).version, 3);
      const connection = await story.store.connection(request.id, request.user_id);
      assertEquals(connected, connection);
      assertEquals([connection?.status, connection?.account.name], ["active", "Acme Ltd"]);
      assertEquals(connection?.scope, ["base"]);
      assertEquals((await story.peek(request)).access_token_sealed, seal("again-access"));
    },
  },
  {
    promise: "connect() never puts one account's or one user's tokens under another's id",
    async keep(story) {
      const request = story.connectRequest({ user_id: await story.user() });
      await story.store.connect(request);
      const other = await story.user();
      for (
        const change of [{ user_id: other }, { account_key: "other:1" }, { id: crypto.randomUUID() }]
      ) {
        await assertRejects(() => story.store.connect({ ...request, ...sealed("theirs"), ...change }));
      }
      const peek = await story.peek(request);
      assertEquals([peek.version, peek.access_token_sealed], [1, seal("first-access")]);
    },
  },
  {
    promise: "two users may each connect the same account",
    async keep(story) {
      const one = await story.connected({ account_key: "7:7" });
      const other = await story.connected({ account_key: "7:7" });
      await story.disconnect(one);
      assertEquals((await story.peek(other)).status, "active");
    },
  },
  {
    promise: "connect() refuses a token that is not sealed, or not under the key it names",
    async keep(story) {
      const request = story.connectRequest({ user_id: await story.user() });
      for (
        const change of [
          { access_token_sealed: "v1u:plain" },
          { refresh_token_sealed: "1:1:plain" },
          { key_id: "k2" },
        ]
      ) {
        await assertRejects(() => story.store.connect({ ...request, ...change }));
      }
      assertEquals(await story.store.peek(request.id, null, -1), null);
    },
  },
  {
    promise: "connect() finishes the request it came of, and repeated for it changes nothing",
    async keep(story) {
      const { id: request_id, ticket } = await story.parked();
      await story.store.takeAuthorization(ticket);
      const request = story.connectRequest({ user_id: ticket.user_id, request_id });
      const connected = await story.store.connect(request);
      assertEquals(await story.store.connect({ ...request, ...sealed("again") }), connected);
      const peek = await story.peek(request);
      assertEquals([peek.version, peek.access_token_sealed], [1, seal("first-access")]);
      await story.store.returnAuthorization(request_id);
      assertEquals(await story.store.takeAuthorization(ticket), null);
    },
  },
  {
    promise: "connect() refuses a request that this user did not take",
    async keep(story) {
      const { id: request_id, ticket } = await story.parked();
      const request = story.connectRequest({ user_id: ticket.user_id, request_id });
      await assertRejects(() => story.store.connect(request));
      await story.store.takeAuthorization(ticket);
      const thief = story.connectRequest({ user_id: await story.user(), request_id });
      await assertRejects(() => story.store.connect(thief));
      assertEquals(await story.store.peek(thief.id, null, -1), null);
      assertEquals((await story.store.connect(request)).status, "active");
    },
  },
  {
    promise: "disconnect() erases the tokens and hands out the refresh token once, to the owner alone",
    async keep(story) {
      const { id, user_id } = await story.connected();
      assertEquals(await story.disconnect({ id, user_id: await story.user() }), null);
      assertEquals(await story.disconnect({ id: crypto.randomUUID(), user_id }), null);
      assertEquals(await story.store.disconnect(id, user_id, "another"), null);
      const disconnected = await story.disconnect({ id, user_id });
      const connection = await story.store.connection(id, user_id);
      assertExists(connection);
      assertEquals(disconnected, { ...connection, refresh_token_sealed: seal("first-refresh") });
      assertEquals(await story.disconnect({ id, user_id }), { ...connection, refresh_token_sealed: null });
      const peek = await story.peek({ id, user_id });
      assertEquals([peek.status, peek.version, peek.access_token_sealed], ["disconnected", 2, null]);
      assertEquals([connection.status, connection.access_expires_at], ["disconnected", null]);
    },
  },
  {
    promise: "uninstall() ends every connection of the account, and no other, and is idempotent",
    async keep(story) {
      const [one, other] = [
        await story.connected({ account_key: "7:7" }),
        await story.connected({ account_key: "7:7" }),
      ];
      const neighbour = await story.connected({ account_key: "7:77" });
      assertEquals(await story.store.uninstall(story.provider, "7:7", null), 2);
      assertEquals(await story.store.uninstall(story.provider, "7:7", null), 0);
      assertEquals((await story.peek(one)).status, "disconnected");
      assertEquals((await story.peek(other)).access_token_sealed, null);
      assertEquals((await story.peek(neighbour)).status, "active");
    },
  },
  {
    promise: "uninstall() of before the user connected again changes nothing",
    async keep(story) {
      const { id, user_id, account_key } = await story.connected();
      const connected_at = Date.parse((await story.store.connection(id, null))?.created_at ?? "");
      const uninstall = (at: number) =>
        story.store.uninstall(story.provider, account_key, new Date(at).toISOString());
      assertEquals(await uninstall(connected_at - 60_000), 0);
      assertEquals((await story.peek({ id, user_id })).status, "active");
      assertEquals(await uninstall(connected_at + 60_000), 1);
    },
  },
  {
    promise: "reseal() replaces the seals under another key and nothing else",
    async keep(story) {
      const { provider } = story;
      const old = await story.connected();
      const gone = await story.connected();
      await story.disconnect(gone);
      await story.connected(sealed("new", "k2"));
      const [found, ...rest] = await story.store.sealedUnderOtherKeys(provider, "k2", 10);
      assertEquals(rest, []);
      assertEquals(found, { id: old.id, version: 1, ...sealed("first") });
      const { key_id: new_key_id, ...seals } = sealed("first", "k2");
      assertEquals(
        await story.store.reseal({ id: old.id, version: 1, key_id: "k1", new_key_id, ...seals }),
        true,
      );
      const peek = await story.peek(old);
      assertEquals([peek.version, peek.access_token_sealed], [1, seal("first-access", "k2")]);
      assertEquals(await story.store.sealedUnderOtherKeys(provider, "k2", 10), []);
    },
  },
  {
    promise: "reseal() yields to a refresh, a disconnect, and another reseal",
    async keep(story) {
      const connection = await story.due();
      const { key_id: new_key_id, ...seals } = sealed("stale", "k2");
      const reseal = (version: number, key_id = "k1") =>
        story.store.reseal({ id: connection.id, version, key_id, new_key_id, ...seals });
      await story.commit(connection, await story.lease(connection));
      assertEquals(await reseal(1), false);
      assertEquals(await reseal(2, "k0"), false);
      assertEquals((await story.peek(connection)).access_token_sealed, seal("second-access"));
      await story.disconnect(connection);
      assertEquals([await reseal(2), await reseal(3)], [false, false]);
    },
  },
  {
    promise: "sealedUnderOtherKeys() keeps to its limit",
    async keep(story) {
      await story.connected();
      await story.connected();
      assertEquals((await story.store.sealedUnderOtherKeys(story.provider, "k2", 1)).length, 1);
    },
  },
];
