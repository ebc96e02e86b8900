import { assert, assertEquals, assertExists, assertObjectMatch } from "../../tests/support/assert.ts";
import { DAY, installed, opened, statusOf } from "./sandbox_support.ts";

const GATEWAY_401 = {
  success: false,
  error: "unauthorized access",
  errorCode: 401,
  error_info: "Please check developers.pipedrive.com",
};

Deno.test("users/me says whom the token speaks for", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  const response = await pipedrive.me(access_token);
  assertObjectMatch(await response.json(), {
    success: true,
    data: {
      id: 11,
      name: "Mari Tamm",
      email: "mari.tamm@example.com",
      company_id: 7100201,
      company_name: "Baltic Timber",
      company_domain: "baltictimber",
    },
  });
  const headers = { authorization: `Bearer ${access_token}` };
  const short = pipedrive.send("https://api.pipedrive.com/v1/users/me", { headers });
  assertEquals(await statusOf(short), 200);
});

Deno.test("no token, an invented token, an unknown path and a wrong method get one and the same 401", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  const headers = { authorization: `Bearer ${access_token}` };
  const origin = "https://baltictimber.pipedrive.com";
  const responses = await Promise.all([
    pipedrive.send(`${origin}/api/v1/users/me`),
    pipedrive.me("invented"),
    pipedrive.send(`${origin}/api/v1/users`, { headers }),
    pipedrive.send(`${origin}/api/v1/users/me`, { method: "POST", headers }),
  ]);
  for (const response of responses) {
    assertEquals(response.status, 401);
    assertEquals(response.headers.get("x-401-by-gw"), "true");
    assertExists(response.headers.get("x-correlation-id"));
    assertEquals(await response.json(), GATEWAY_401);
  }
});

Deno.test("an Authorization header that is not a bearer's is 400", async () => {
  const { send } = await opened();
  for (const authorization of ["Basic eDp5", "Bearer", "Bearer two words", "token"]) {
    const response = await send("https://api.pipedrive.com/v1/users/me", { headers: { authorization } });
    assertEquals(response.status, 400);
    assertEquals((await response.json()).error, "Invalid request: malformed authorization header");
  }
});

Deno.test("a token works at its own company's host only", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  assertEquals(await statusOf(pipedrive.me(access_token, "https://harbourcoffee.pipedrive.com")), 401);
  assertEquals(await statusOf(pipedrive.me(access_token, "https://oauth.pipedrive.com")), 401);
});

Deno.test("an expired token gets the gateway's body, or the documented text where the switch says so", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  await pipedrive.control.expire_access_tokens();
  assertEquals(await (await pipedrive.me(access_token)).json(), GATEWAY_401);
  await pipedrive.control.configure({ expired_body: "invalid_token" });
  const response = await pipedrive.me(access_token);
  assertEquals(response.status, 401);
  assertEquals((await response.json()).error, "Invalid token: access token is invalid");
});

Deno.test("persons search needs any one of three scopes", async () => {
  const statuses: Record<string, number> = {};
  for (const scope of ["contacts:read", "contacts:full", "search:read", "deals:full"]) {
    const pipedrive = await opened({ scopes: ["base", scope] });
    const { access_token } = await installed(pipedrive);
    statuses[scope] = await statusOf(pipedrive.search(access_token, { term: "jane" }));
  }
  assertEquals(statuses, {
    "contacts:read": 200,
    "contacts:full": 200,
    "search:read": 200,
    "deals:full": 403,
  });
});

Deno.test("ten searches in two seconds, then 429 until the window has moved on", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  const search = () => pipedrive.search(access_token, { term: "jane", limit: "1" });
  const first = await search();
  assertEquals(rateOf(first), ["10", "9", "2"]);
  for (let sent = 1; sent < 10; sent++) assertEquals(await statusOf(search()), 200);
  const over = await search();
  assertEquals(over.status, 429);
  assertEquals(rateOf(over), ["10", "0", "2"]);
  assertEquals(await over.json(), {
    success: false,
    error: "request over limit",
    errorCode: 429,
    error_info: "Please check developers.pipedrive.com",
  });
  await pipedrive.control.advance_clock(1_999);
  assertEquals(await statusOf(search()), 429);
  await pipedrive.control.advance_clock(1);
  assertEquals(await statusOf(search()), 200);
});

Deno.test("the limit counts per token, other requests apart from searches, and can be absent", async () => {
  const pipedrive = await opened({ search_burst: 1 });
  const mari = await installed(pipedrive, "7100201:11");
  const jonas = await installed(pipedrive, 12);
  const search = (token: string) => pipedrive.search(token, { term: "jane" });
  assertEquals(await statusOf(search(mari.access_token)), 200);
  assertEquals(await statusOf(search(jonas.access_token)), 200);
  assertEquals(await statusOf(pipedrive.me(mari.access_token)), 200);
  assertEquals(await statusOf(search(mari.access_token)), 429);
  await pipedrive.control.configure({ search_burst: null });
  assertEquals(await statusOf(search(mari.access_token)), 200);
});

Deno.test("a company's daily budget is shared, spent by what requests cost, and new the next day", async () => {
  const pipedrive = await opened({ daily_budget: 41 });
  const mari = await installed(pipedrive, "7100201:11");
  const jonas = await installed(pipedrive, 12);
  const search = (token: string) => pipedrive.search(token, { term: "jane" });
  assertEquals((await search(mari.access_token)).headers.get("x-daily-ratelimit-token-remaining"), "21");
  assertEquals(await statusOf(search(jonas.access_token)), 200);
  const spent = await pipedrive.me(jonas.access_token);
  assertEquals([spent.status, spent.headers.get("x-daily-ratelimit-token-remaining")], [429, "1"]);
  await pipedrive.control.advance_clock(DAY);
  const { access_token } = await installed(pipedrive);
  assertEquals(await statusOf(search(access_token)), 200);
});

function rateOf({ headers }: Response) {
  const names = ["limit", "remaining", "reset"].map((name) => `x-ratelimit-${name}`);
  assert(names.every((name) => headers.has(name)));
  return names.map((name) => headers.get(name));
}
