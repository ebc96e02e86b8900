/** `POST /oauth-callback/pipedrive/authorize`: a user begins, and where the browser will come back to is settled. */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { EPOCH } from "../support/database_time.ts";
import { JONAS, MARI } from "../support/store.ts";
import { APP, OTHER_APP, type Stage, story } from "./stage.ts";
import { allow, begin, connect } from "./steps.ts";

/** Where the browser lands that was begun with this. */
async function wayBack(stage: Stage, ask: Parameters<typeof begin>[2]): Promise<string | undefined> {
  const { location } = await stage.callback(await allow(stage, await begin(stage, MARI, ask)));
  return location?.split("#")[0];
}

story("a user begins: an address with a state, a binding for the tab, and ten minutes", async (stage) => {
  const begun = await stage.callback("/authorize", { user: MARI, body: {} });
  assertEquals(begun.status, 201);
  assertEquals(Object.keys(begun.body), ["authorization_url", "binding", "expires_at"]);
  const { origin, pathname, searchParams } = new URL(String(begun.body.authorization_url));
  assertEquals(origin + pathname, "https://oauth.pipedrive.com/oauth/authorize");
  const { state, ...others } = Object.fromEntries(searchParams);
  const { client_id, redirect_uri } = stage.context.client;
  assertEquals(others, { client_id, redirect_uri });
  assert(state && begun.body.binding);
  assertEquals(Date.parse(String(begun.body.expires_at)) - EPOCH, 600_000);
});

story("without return_to the browser comes back to the application's root", async (stage) => {
  for (const body of [{}, ""]) assertEquals(await wayBack(stage, { body }), `${APP}/`);
});

const PATHS = [
  "/",
  "/a/b.html?x=1&y=a%20b",
  "/?next=/inner&tags[]=1",
  "/~user/(x);y=1",
  "/@me",
  "/o'neil",
  "/a//x",
  "/%40evil.example",
  "/%2f%2fevil.example",
];
story("any path and query of the application is where the browser comes back to", async (stage) => {
  for (const return_to of PATHS) assertEquals(await wayBack(stage, { body: { return_to } }), APP + return_to);
  const written = { "/x y": "/x%20y", "/\u00e9": "/%C3%A9", "/a/../x": "/x", "/a\\..\\x": "/x" };
  for (const [return_to, path] of Object.entries(written)) {
    assertEquals(await wayBack(stage, { body: { return_to } }), APP + path);
  }
});

story("a route in the fragment stays, and the answer is appended to it", async (stage) => {
  const routes = {
    "/x#": "/x#",
    "/x?tab=1#/route": "/x?tab=1#/route?",
    "/#/route?tab=1": "/#/route?tab=1&",
    "/#!/a/b#c": "/#!/a/b#c?",
  };
  for (const [return_to, before] of Object.entries(routes)) {
    const begun = await begin(stage, MARI, { body: { return_to } });
    const { location = "" } = await stage.callback(await allow(stage, begun));
    const [place, ticket = ""] = location?.split("oauth_ticket=") ?? [];
    assertEquals([place, ticket.length], [APP + before, 43]);
    const denied = await begin(stage, MARI, { body: { return_to } });
    const { location: told } = await stage.callback(`?error=access_denied&state=${denied.state}`);
    assertEquals(told, `${APP}${before}oauth_error=AUTHORIZATION_DENIED`);
  }
});

story("of several applications the one that asks gets its user back", async (stage) => {
  for (const origin of [OTHER_APP, APP]) {
    assertEquals(await wayBack(stage, { headers: { origin } }), `${origin}/`);
    const body = { return_to: `${origin}/settings` };
    assertEquals(await wayBack(stage, { headers: { origin }, body }), `${origin}/settings`);
  }
});

story("a preview is sent back to itself where APP_URL has its kind", async (stage) => {
  stage.app_origins.push("https://*.preview.example.com");
  const origin = "https://pr-7.preview.example.com";
  assertEquals(await wayBack(stage, { headers: { origin } }), `${origin}/`);
  assertEquals(await wayBack(stage, { body: { return_to: `${origin}/x` } }), `${origin}/x`);
});

story("an origin that APP_URL has not is told so before anybody consents", async (stage) => {
  const others = ["https://evil.example", "null", `${APP}.evil.example`, "http://localhost:5173", "*", ""];
  for (const origin of others) {
    const answer = await stage.callback("/authorize", { user: MARI, body: {}, headers: { origin } });
    assertEquals([origin, ...answer.refusal], [origin, 400, "INVALID_REQUEST"]);
    assertMatch(String(answer.body.message), /APP_URL/);
  }
  assertEquals(stage.store.calls, []);
});

story("a server names the whole address, under any origin of APP_URL", async (stage) => {
  for (const return_to of [`${APP}/settings?a=1`, `${OTHER_APP}/x`]) {
    assertEquals(await wayBack(stage, { body: { return_to } }), return_to);
  }
  const headers = { origin: APP };
  const answer = await stage.callback("/authorize", {
    user: MARI,
    body: { return_to: `${OTHER_APP}/x` },
    headers,
  });
  assertEquals(answer.refusal, [400, "INVALID_REQUEST"]);
});

const noPlaces: Record<string, unknown[]> = {
  "another host": ["//evil.example", "///evil.example", "https://evil.example", "https:/evil.example"],
  "a host without slashes": ["https:evil.example", "@evil.example", ".evil.example", ":8080/evil", "evil"],
  "our host and another": [`${APP}@evil.example/`, `${APP}.evil.example/`, `https://evil@${APP.slice(8)}/`],
  "another scheme": [
    "javascript:alert(1)",
    "data:text/html,x",
    `blob:${APP}/x`,
    APP.replace("https", "http"),
  ],
  "a backslash": ["/\\evil.example", "\\evil.example", "\\\\evil.example"],
  "segments that lead to another host": ["//a/..//evil.example"],
  "a control character": ["/x\r\nSet-Cookie: a=b", "/x\u0000", "/x\u007f", "/\u0085"],
  "a blank that a parser takes away": [
    "/x\ty",
    "/\t/evil.example",
    "/\n/evil.example",
    " /x",
    "/x ",
    "/x\u2028y",
  ],
  "what is empty or too long": ["", `/${"x".repeat(1024)}`],
  "what is no text": [null, 1, true, ["/x"], { path: "/x" }],
};
for (const [what, values] of Object.entries(noPlaces)) {
  story(`return_to is a place of the application, and is named where it is not: ${what}`, async (stage) => {
    for (const return_to of values) {
      for (const headers of [undefined, { origin: APP }]) {
        const answer = await stage.callback("/authorize", { user: MARI, body: { return_to }, headers });
        assertEquals(answer.refusal, [400, "INVALID_REQUEST"], JSON.stringify(return_to));
        assertMatch(String(answer.body.message), /^"return_to" /);
      }
    }
    assertEquals(stage.store.calls, []);
  });
}

story("no header of the request moves the redirect URI or the way back", async (stage) => {
  const headers = {
    host: "evil.example",
    forwarded: "host=evil.example;proto=http",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-port": "81",
    "x-forwarded-prefix": "/evil",
    "x-original-url": "https://evil.example/",
    referer: "https://evil.example/",
  };
  const begun = await begin(stage, MARI, { headers });
  const { searchParams } = new URL(begun.authorization_url);
  assertEquals(searchParams.get("redirect_uri"), stage.context.client.redirect_uri);
  const back = await stage.callback(await allow(stage, begun), { headers });
  assert(back.location?.startsWith(`${APP}/#`));
});

story(
  "a user who has begun twenty in ten minutes is told to wait, whatever became of them",
  async (stage) => {
    for (let n = 0; n < 18; n += 1) {
      const { state } = await begin(stage);
      await stage.callback(`?error=user_denied&state=${state}`);
    }
    await connect(stage);
    await begin(stage);
    const answer = await stage.callback("/authorize", { user: MARI, body: {} });
    assertEquals(answer.refusal, [429, "PROVIDER_RATE_LIMITED"]);
    assertEquals([answer.headers.get("retry-after"), answer.body.retry_after], ["60", 60]);
    await begin(stage, JONAS);
    stage.clock.pause(600_001);
    await begin(stage);
  },
);

story("a database that is down is STORAGE_UNAVAILABLE, and beginning works afterwards", async (stage) => {
  stage.store.failNext("begin_authorization");
  const answer = await stage.callback("/authorize", { user: MARI, body: {} });
  assertEquals(answer.refusal, [503, "STORAGE_UNAVAILABLE"]);
  assert(answer.headers.has("retry-after"));
  await begin(stage);
});

story("whose login has outlived the user is told to sign in", async (stage) => {
  const answer = await stage.callback("/authorize", { user: crypto.randomUUID(), body: {} });
  assertEquals(answer.refusal, [401, "INVALID_CREDENTIALS"]);
});
