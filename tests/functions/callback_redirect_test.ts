/** `GET /oauth-callback/pipedrive?…`: the browser comes back, and the application gets a ticket or a code of ours. */
import { digest } from "../../supabase/functions/_shared/keep/seal.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { KEYS, makeKeyring } from "../support/make.ts";
import { MARI } from "../support/store.ts";
import { APP, OTHER_APP, type Stage, story } from "./stage.ts";
import { allow, begin, complete, park, type Parked } from "./steps.ts";

/** Whether this browser gets a ticket. */
async function getsTicket({ callback, secrets }: Stage, query: string): Promise<boolean> {
  const ticket = (await callback(query)).fragment.get("oauth_ticket");
  if (ticket !== null) secrets.add(ticket);
  return ticket !== null;
}

story("the redirect is a 303 that nothing caches, refers or sniffs, with an empty body", async (stage) => {
  const query = await allow(stage, await begin(stage));
  for (const url of [query, query, "?code=x"]) {
    const { status, text, headers } = await stage.callback(url);
    assertEquals([status, text], [303, ""]);
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
  }
});

story("state, binding and ticket carry 256 bits, never repeat, and are nowhere stored", async (stage) => {
  const all: Parked[] = [];
  for (let n = 0; n < 8; n += 1) all.push(await park(stage, await stage.store.user()));
  const secrets = all.flatMap(({ state, binding, ticket }) => [state, binding, ticket]);
  for (const secret of secrets) assertMatch(secret, /^[\w-]{43}$/);
  assertEquals(new Set(secrets).size, 24);
  const rows = await Promise.all(
    all.map(async ({ state }) => stage.store.authorization(await digest(state))),
  );
  const stored = JSON.stringify(rows);
  for (const secret of stage.secrets) assert(!stored.includes(secret));
  for (const secret of secrets) assert(stored.includes(await digest(secret)));
});

const INVALID = `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`;

story(
  "a hundred times the same redirect brings the same ticket, another code for its state none",
  async (stage) => {
    const query = await allow(stage, await begin(stage));
    const answers = await Promise.all(Array.from({ length: 100 }, () => stage.callback(query)));
    const tickets = new Set(answers.map(({ fragment }) => fragment.get("oauth_ticket")));
    assertEquals([tickets.size, tickets.has(null)], [1, false]);
    for (const ticket of tickets) stage.secrets.add(ticket ?? "");
    const { code, state } = Object.fromEntries(new URLSearchParams(query));
    for (const other of [`?code=${code}x&state=${state}`, `?error=access_denied&state=${state}`]) {
      assertEquals((await stage.callback(other)).location, INVALID);
    }
    assertEquals(await stage.requests("token:exchange"), 0);
  },
);

story(
  "the same redirect brings the same ticket whatever has become of it, until the request expires",
  async (stage) => {
    const begun = await begin(stage);
    const query = await allow(stage, begun);
    const [first, again] = [await stage.callback(query), await stage.callback(query)];
    const ticket = first.fragment.get("oauth_ticket") ?? "";
    stage.secrets.add(ticket);
    assertEquals(again.location, first.location);
    const completed = await complete(stage, { user: MARI, ticket, binding: begun.binding });
    assertEquals(completed.status, 200);
    assertEquals((await stage.callback(query)).location, first.location);
    stage.clock.pause(600_001);
    assertEquals((await stage.callback(query)).location, INVALID);
  },
);

story("the same redirect brings the same ticket while the encryption key is exchanged", async (stage) => {
  const begun = await begin(stage);
  const query = await allow(stage, begun);
  const { fragment, location } = await stage.callback(query);
  const ticket = fragment.get("oauth_ticket") ?? "";
  stage.secrets.add(ticket);
  Object.assign(stage.context, { keyring: await makeKeyring(KEYS.split(",").reverse().join()) });
  assertEquals((await stage.callback(query)).location, location);
  const { status } = await complete(stage, { user: MARI, ticket, binding: begun.binding });
  assertEquals(status, 200);
});

story("a denial that comes twice is the same denial", async (stage) => {
  const { state } = await begin(stage);
  for (const time of [1, 2]) {
    const { location } = await stage.callback(`?error=user_denied&state=${state}`);
    assertEquals(location, `${APP}/#oauth_error=AUTHORIZATION_DENIED`, `time ${time}`);
  }
});

story("a state that came too late brings no ticket", async (stage) => {
  const query = await allow(stage, await begin(stage));
  stage.clock.pause(600_001);
  assertEquals((await stage.callback(query)).location, `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`);
});

story("missing, empty, repeated or bracketed parameters leave the state usable", async (stage) => {
  const begun = await begin(stage);
  const query = await allow(stage, begun);
  const { state } = begun;
  const malformed = [
    `?state=${state}`,
    `?code=&state=${state}`,
    `?code=a&code=b&state=${state}`,
    `?code=a&state=${state}&state=${state}`,
    `?code=a&state=${state}&error=`,
    `?code=a&state=${state}&error=access_denied`,
    `?code[]=a&state=${state}`,
    `?code=a&state[]=${state}`,
    `?code=a&state=`,
    `?code=${"a".repeat(5_000)}&state=${state}`,
    `?code=a&state=${state}&iss=`,
    `?code=a&state=${state}&iss=https://evil.example`,
    "?anything=else",
  ];
  for (const one of malformed) {
    const { status, location } = await stage.callback(one);
    assertEquals(status, 303);
    assertMatch(location ?? "", /^https:\/\/app\.example#oauth_error=AUTHORIZATION_[A-Z_]+$/);
  }
  assert(await getsTicket(stage, query));
});

story("a state counts on the path of its provider alone", async (stage) => {
  const query = await allow(stage, await begin(stage));
  const { fragment } = await stage.callback(`/../elsewhere${query}`);
  assertEquals(fragment.get("oauth_error"), "AUTHORIZATION_REQUEST_INVALID");
  assertEquals((await stage.callback(`/../nobody${query}`)).refusal, [404, "UNKNOWN_PROVIDER"]);
  assert(await getsTicket(stage, query));
});

story("a denial uses up the state, and only the log repeats the protocol's word for it", async (stage) => {
  for (const error of ["user_denied", "access_denied", "server_error", "%3Cscript%3E"]) {
    const begun = await begin(stage, MARI, { body: { return_to: "/settings" } });
    const description = "error_description=%3Cscript%3Ealert(1)%3C/script%3E%0D%0ASet-Cookie:%20a=b";
    const { status, text, location, line } = await stage.callback(
      `?error=${error}&${description}&state=${begun.state}`,
    );
    assertEquals([status, text, location], [303, "", `${APP}/settings#oauth_error=AUTHORIZATION_DENIED`]);
    const word = error.startsWith("%") ? "unrecognised" : error;
    assertEquals(line.reason, `the provider answered "${word}"`);
    assert(!await getsTicket(stage, await allow(stage, begun)));
  }
});

story("cancelling the provider's dialog is a denial", async (stage) => {
  const { authorization_url } = await begin(stage);
  const back = new URL(await stage.provider.authorize({ authorization_url, deny: true }));
  assertEquals((await stage.callback(back.search)).fragment.get("oauth_error"), "AUTHORIZATION_DENIED");
});

story("an installation begun at the provider stores nothing and offers to connect", async (stage) => {
  const answer = await stage.callback(new URL(await stage.provider.install()).search);
  assertEquals(answer.location, `${APP}#oauth_error=AUTHORIZATION_NOT_STARTED_HERE`);
  assertEquals([stage.store.calls, await stage.requests("token:exchange")], [[], 0]);
});

story("a browser that loads ahead, or only asks for headers, does not use up the state", async (stage) => {
  const query = await allow(stage, await begin(stage));
  const ahead = [["sec-purpose", "prefetch;prerender"], ["purpose", "prefetch"], ["x-moz", "prefetch"]];
  for (const header of ahead) {
    const { refusal } = await stage.callback(query, { headers: Object.fromEntries([header]) });
    assertEquals(refusal, [400, "INVALID_REQUEST"]);
  }
  assertEquals((await stage.callback(query, { method: "HEAD" })).status, 200);
  assert(await getsTicket(stage, query));
});

story("a database that stumbles at the redirect is asked again, if it heard or not", async (stage) => {
  for (const when of ["before", "after"] as const) {
    const query = await allow(stage, await begin(stage));
    stage.store.failNext("receive_authorization_response", 2, when);
    assert(await getsTicket(stage, query), when);
  }
});

story("with the database down the browser is sent on with the code, and the state waits", async (stage) => {
  const query = await allow(stage, await begin(stage));
  stage.store.failNext("receive_authorization_response", 3);
  assertEquals((await stage.callback(query)).location, `${APP}#oauth_error=STORAGE_UNAVAILABLE`);
  assert(await getsTicket(stage, query));
});

story("an application that has been taken off the list gets no ticket any more", async (stage) => {
  const query = await allow(stage, await begin(stage, MARI, { headers: { origin: OTHER_APP } }));
  stage.app_origins.pop();
  assertEquals((await stage.callback(query)).location, `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`);
});
