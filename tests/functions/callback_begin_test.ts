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

story("a path of the application is where the browser comes back to", async (stage) => {
  const paths = ["/", "/a/b.html?x=1&y=a%20b", "/search?q=a%2Fb", "/~user/(x);y=1", "/?next=/inner"];
  for (const return_to of paths) assertEquals(await wayBack(stage, { body: { return_to } }), APP + return_to);
});

story("of several applications the one that asks gets its user back, no other origin does", async (stage) => {
  const origins = { [OTHER_APP]: OTHER_APP, [APP]: APP, "https://evil.example": APP, null: APP };
  for (const [origin, expected] of Object.entries(origins)) {
    assertEquals(await wayBack(stage, { headers: { origin } }), `${expected}/`);
  }
});

const notPaths: Record<string, unknown[]> = {
  "another host": ["//evil.example", "///evil.example", "https://evil.example", "https:/evil.example"],
  "a host without slashes": ["https:evil.example", "@evil.example", ".evil.example", ":8080/evil", "evil"],
  "another scheme": ["javascript:alert(1)", "data:text/html,x"],
  "a backslash": ["/\\evil.example", "\\evil.example", "\\\\evil.example", "/%5cevil.example"],
  "a delimiter, encoded": ["%2f%2fevil.example", "/%2f%2fevil.example", "/%2Fevil.example"],
  "a user before the host": ["/@evil.example", "/%40evil.example"],
  "segments that a parser takes away": ["/a//x", "/./x", "/..//evil.example", "/a/../x", "/a/%2e%2e/x"],
  "a control character": ["/x\r\nSet-Cookie: a=b", "/x%0d%0aSet-Cookie:a=b", "/x\u0000", "/x%00", "/x\u007f"],
  "a blank": ["/x\ty", "/\t/evil.example", " /x", "/x y", "/x\u2028y"],
  "a character to be encoded": ["/\u00e9", "/\uff0f/evil.example", "/<script>", "/x%", "/x%zz"],
  "a fragment": ["/x#y", "/#/route"],
  "what is empty or too long": ["", `/${"x".repeat(1024)}`],
  "what is no text": [null, 1, true, ["/x"], { path: "/x" }],
};
for (const [what, values] of Object.entries(notPaths)) {
  story(`return_to is a path under the application, and is named where it is not: ${what}`, async (stage) => {
    for (const return_to of values) {
      const answer = await stage.callback("/authorize", { user: MARI, body: { return_to } });
      assertEquals(answer.refusal, [400, "INVALID_REQUEST"], JSON.stringify(return_to));
      assertMatch(String(answer.body.message), /^"return_to" /);
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
