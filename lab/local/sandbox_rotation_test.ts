import { assert, assertEquals, assertNotEquals } from "../../tests/support/assert.ts";
import { DAY, installed, MARI, MINUTE, opened, refusal, statusOf, tokensOf } from "./sandbox_support.ts";

const SPENT = { status: 400, error: "invalid_grant", message: "Invalid grant: refresh token is invalid" };

Deno.test("a refresh spends its token by default", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertNotEquals(second.refresh_token, first.refresh_token);
  assertNotEquals(second.access_token, first.access_token);
  assertEquals(await refusal(await pipedrive.refresh(first.refresh_token)), SPENT);
  assertEquals(await statusOf(pipedrive.refresh(second.refresh_token)), 200);
});

Deno.test("of simultaneous refreshes with one token one wins", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  const statuses = await Promise.all(
    Array.from({ length: 5 }, () => statusOf(pipedrive.refresh(refresh_token))),
  );
  assertEquals(statuses.toSorted(), [200, 400, 400, 400, 400]);
  const counts = await pipedrive.control.counts();
  assertEquals([counts.refreshed, counts.reused], [1, 4]);
});

Deno.test("without rotation the same refresh token comes back and stays good", async () => {
  const pipedrive = await opened({ rotate_refresh: false });
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(second.refresh_token, first.refresh_token);
  assertEquals(await statusOf(pipedrive.refresh(first.refresh_token)), 200);
});

Deno.test("an answer without refresh token leaves the old one good", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  await pipedrive.control.configure({ omit_refresh_token: true });
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(second.refresh_token, undefined as unknown as string);
  assertEquals(await statusOf(pipedrive.refresh(first.refresh_token)), 200);
  assert(!("refresh_token" in await pipedrive.control.grant()));
});

Deno.test("within the grace a spent token brings its successor, afterwards nothing", async () => {
  const pipedrive = await opened({ reuse_grace_ms: 10_000 });
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  await pipedrive.control.advance_clock(9_999);
  const again = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(again.refresh_token, second.refresh_token);
  const counts = await pipedrive.control.counts();
  assertEquals([counts.refreshed, counts.reused], [2, 1]);
  await pipedrive.control.advance_clock(1);
  assertEquals(await refusal(await pipedrive.refresh(first.refresh_token)), SPENT);
});

Deno.test("where reuse ends the installation, the successor and the access tokens die with it", async () => {
  const pipedrive = await opened({ revoke_on_reuse: true });
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(await refusal(await pipedrive.refresh(first.refresh_token)), SPENT);
  assertEquals(await refusal(await pipedrive.refresh(second.refresh_token)), SPENT);
  assertEquals(await statusOf(pipedrive.me(second.access_token)), 401);
  assertEquals(await pipedrive.control.installations(), []);
});

Deno.test("the earlier access token lives through a refresh, unless the switch says otherwise", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 200);
  await pipedrive.control.configure({ old_access_dies: true });
  const third = await tokensOf(await pipedrive.refresh(second.refresh_token));
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 401);
  assertEquals(await statusOf(pipedrive.me(third.access_token)), 200);
});

Deno.test("a refresh token dies after sixty idle days, and every use restarts them", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  await pipedrive.control.advance_clock(60 * DAY - 1);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  await pipedrive.control.advance_clock(60 * DAY - 1);
  const third = await tokensOf(await pipedrive.refresh(second.refresh_token));
  await pipedrive.control.advance_clock(60 * DAY);
  assertEquals(await refusal(await pipedrive.refresh(third.refresh_token)), {
    ...SPENT,
    message: "Invalid grant: refresh token has expired",
  });
});

Deno.test("an access token lives an hour; expired by hand it dies before, and a refresh still works", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  await pipedrive.control.advance_clock(60 * MINUTE - 1);
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 200);
  await pipedrive.control.advance_clock(1);
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 401);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(await pipedrive.control.expire_access_tokens({ user: MARI }), 1);
  assertEquals(await statusOf(pipedrive.me(second.access_token)), 401);
  assertEquals(await statusOf(pipedrive.refresh(second.refresh_token)), 200);
});

Deno.test("wider scopes end access tokens and wait for a new authorization; narrower ones need only a refresh", async () => {
  const pipedrive = await opened({ scopes: ["base", "contacts:read", "deals:read"] });
  const first = await installed(pipedrive);
  await pipedrive.control.configure({ scopes: ["base", "contacts:read"] });
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 200);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  assertEquals(second.scope, "base,contacts:read");
  await pipedrive.control.configure({ scopes: ["base", "contacts:read", "admin"] });
  assertEquals(await statusOf(pipedrive.me(second.access_token)), 401);
  const third = await tokensOf(await pipedrive.refresh(second.refresh_token));
  assertEquals(third.scope, "base,contacts:read");
  assertEquals((await installed(pipedrive)).scope, "base,contacts:read,admin");
});
