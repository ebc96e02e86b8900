import { assert, assertEquals, assertExists, assertRejects } from "../assert.ts";
import { seal, secret, type StorePromise } from "./story.ts";

/** An authorization request: begun, parked, taken, each once and only as it was begun. */
export const authorizations: readonly StorePromise[] = [
  {
    promise: "an authorization request goes from its user through the redirect back to its user",
    async keep(story) {
      const begun = await story.begun();
      const { id, provider, user_id, binding_hash, redirect_uri, return_to } = begun;
      const ticket_hash = secret();
      const parked = { id, provider, ticket_hash, code_sealed: seal("code") };
      assertEquals(await story.store.receiveAuthorizationResponse(parked), { return_to });
      assertEquals(await story.store.takeAuthorization({ provider, ticket_hash, binding_hash, user_id }), {
        id,
        redirect_uri,
        code_sealed: seal("code"),
        code_verifier_sealed: seal("verifier"),
      });
    },
  },
  {
    promise: "beginAuthorization() says when the request expires",
    async keep(story) {
      const request = story.authorizationRequest({ user_id: await story.user() });
      const { expires_at } = await story.store.beginAuthorization(request);
      assert(Date.parse(expires_at ?? "") > 0);
    },
  },
  {
    promise: "of many redirects with one state exactly one parks its code",
    async keep(story) {
      const { id, provider } = await story.begun();
      const redirects = Array.from({ length: 20 }, () =>
        story.store.receiveAuthorizationResponse({
          id,
          provider,
          ticket_hash: secret(),
          code_sealed: seal("code"),
        }));
      assertEquals((await Promise.all(redirects)).filter((parked) => parked !== null).length, 1);
    },
  },
  {
    promise: "a redirect with an unknown or expired state, or on another provider's path, parks nothing",
    async keep(story) {
      const { id, provider } = await story.begun();
      const redirect = (overrides: { id?: string; provider?: string }) =>
        story.store.receiveAuthorizationResponse({
          id,
          provider,
          ticket_hash: secret(),
          code_sealed: seal("code"),
          ...overrides,
        });
      assertEquals(await redirect({ id: secret() }), null);
      assertEquals(await redirect({ provider: "another" }), null);
      const { id: expired } = await story.begun();
      await story.backdate(expired, { expires_at: 1 });
      assertEquals(await redirect({ id: expired }), null);
      assertExists(await redirect({}));
    },
  },
  {
    promise: "a denial uses the state up",
    async keep(story) {
      const { id, provider, return_to } = await story.begun();
      const denial = { id, provider, ticket_hash: null, code_sealed: null };
      assertEquals(await story.store.receiveAuthorizationResponse(denial), { return_to });
      assertEquals(await story.store.receiveAuthorizationResponse(denial), null);
      const code = { id, provider, ticket_hash: secret(), code_sealed: seal("code") };
      assertEquals(await story.store.receiveAuthorizationResponse(code), null);
    },
  },
  {
    promise: "a ticket is taken once, however many present it",
    async keep(story) {
      const { ticket } = await story.parked();
      const takes = await Promise.all(
        Array.from({ length: 20 }, () => story.store.takeAuthorization(ticket)),
      );
      assertEquals(takes.filter((taken) => taken !== null).length, 1);
    },
  },
  {
    promise: "a ticket in the wrong hands, tab or path is nothing, and stays good in the right ones",
    async keep(story) {
      const { ticket } = await story.parked();
      const { ticket: another } = await story.parked();
      for (
        const change of [
          { user_id: await story.user() },
          { binding_hash: secret() },
          { binding_hash: another.binding_hash },
          { ticket_hash: secret() },
          { provider: "another" },
        ]
      ) {
        assertEquals(await story.store.takeAuthorization({ ...ticket, ...change }), null);
      }
      assertExists(await story.store.takeAuthorization(ticket));
    },
  },
  {
    promise: "a ticket expires with its request",
    async keep(story) {
      const { id, ticket } = await story.parked();
      await story.backdate(id, { expires_at: 1 });
      assertEquals(await story.store.takeAuthorization(ticket), null);
    },
  },
  {
    promise: "a request that was put back can be taken again, by the same ticket",
    async keep(story) {
      const { id, ticket } = await story.parked();
      const taken = await story.store.takeAuthorization(ticket);
      await story.store.returnAuthorization(id);
      assertEquals(await story.store.takeAuthorization(ticket), taken);
    },
  },
  {
    promise: "only what was taken can be put back",
    async keep(story) {
      const { id, provider } = await story.begun();
      await story.store.receiveAuthorizationResponse({ id, provider, ticket_hash: null, code_sealed: null });
      await story.store.returnAuthorization(id);
      await story.store.returnAuthorization(secret());
      const code = { id, provider, ticket_hash: secret(), code_sealed: seal("code") };
      assertEquals(await story.store.receiveAuthorizationResponse(code), null);
    },
  },
  {
    promise: "a user has no more open requests than the limit; expired, denied and taken ones are not open",
    async keep(story) {
      const user_id = await story.user();
      const requests = [];
      for (let n = 0; n < 3; n += 1) requests.push(await story.begun({ user_id, limit: 3 }));
      const begin = async (of: string) =>
        (await story.store.beginAuthorization(story.authorizationRequest({ user_id: of, limit: 3 }))).outcome;
      assertEquals(await begin(user_id), "too_many");
      assertEquals(await begin(await story.user()), "begun");
      const [expired, denied, taken] = requests;
      assert(expired && denied && taken);

      await story.backdate(expired.id, { expires_at: 1 });
      assertEquals([await begin(user_id), await begin(user_id)], ["begun", "too_many"]);
      const { provider } = story;
      const denial = { id: denied.id, provider, ticket_hash: null, code_sealed: null };
      await story.store.receiveAuthorizationResponse(denial);
      assertEquals([await begin(user_id), await begin(user_id)], ["begun", "too_many"]);
      const ticket_hash = secret();
      await story.store.receiveAuthorizationResponse({
        id: taken.id,
        provider,
        ticket_hash,
        code_sealed: seal("code"),
      });
      assertEquals(await begin(user_id), "too_many");
      const { binding_hash } = taken;
      await story.store.takeAuthorization({ provider, ticket_hash, binding_hash, user_id });
      assertEquals(await begin(user_id), "begun");
    },
  },
  {
    promise: "a state is never begun twice",
    async keep(story) {
      const { id } = await story.begun();
      const request = story.authorizationRequest({ id, user_id: await story.user() });
      await assertRejects(() => story.store.beginAuthorization(request));
    },
  },
  {
    promise: "beginAuthorization() refuses a request that lives for more than ten minutes",
    async keep(story) {
      const request = story.authorizationRequest({ user_id: await story.user(), lifetime_ms: 600_001 });
      await assertRejects(() => story.store.beginAuthorization(request));
    },
  },
  {
    promise: "purge() deletes expired requests and no others",
    async keep(story) {
      const { id: expired } = await story.begun();
      await story.backdate(expired, { expires_at: 1 });
      const { ticket } = await story.parked();
      assert(await story.store.purge(1_000) >= 1);
      assertExists(await story.store.takeAuthorization(ticket));
      // Its state is free again, so the row is gone.
      await story.begun({ id: expired });
    },
  },
  {
    promise: "purge() deletes no event before its time",
    async keep(story) {
      await story.connected();
      assertEquals(await story.store.purge(1_000), 0);
    },
  },
];
