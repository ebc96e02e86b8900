import { assert, assertEquals, assertMatch, assertNotEquals } from "../support/assert.ts";
import { foreignToken, unsignedToken, userToken } from "./callers.ts";
import {
  ACCOUNT,
  allow,
  type Answer,
  APP,
  begin,
  CALLBACK,
  complete,
  JONAS,
  MARI,
  OTHER_APP,
  parked,
  type Stage,
  story,
} from "./stage.ts";

const BASIC = `Basic ${btoa("3f1c5c8a9b2d4e6f:3cbb1f0c6a2e4d7790ab")}`;
const NOTICE = { client_id: "3f1c5c8a9b2d4e6f", ...ACCOUNT };

/** A story's usual beginning: Mari is connected. */
async function connection(stage: Stage, user = MARI): Promise<{ id: string; answer: Answer }> {
  const answer = await complete(stage, await parked(stage, user));
  assertEquals(answer.status, 200);
  return { id: String((answer.body.connection as { id: string }).id), answer };
}

function refusal({ status, body }: Answer): [number, unknown] {
  return [status, body.code];
}

// What a user asks for.

story("a user begins, allows, comes back and completes: one exchange, one connection", async (stage) => {
  const begun = await stage.callback("/authorize", { user: MARI, body: { return_to: "/settings?tab=crm" } });
  assertEquals(begun.status, 201);
  assertEquals(Object.keys(begun.body), ["authorization_url", "binding", "expires_at"]);
  const url = new URL(String(begun.body.authorization_url));
  assertEquals(url.origin + url.pathname, "https://oauth.pipedrive.com/oauth/authorize");
  assertEquals([...url.searchParams.keys()].sort(), ["client_id", "redirect_uri", "state"]);

  const back = await stage.callback(
    new URL(await stage.provider.authorize({ authorization_url: url.href })).search,
  );
  assertEquals(back.status, 303);
  assertEquals(back.location, `${APP}/settings?tab=crm#oauth_ticket=${back.fragment.get("oauth_ticket")}`);
  assertEquals(await stage.requests("token:exchange"), 0);

  const ticket = back.fragment.get("oauth_ticket") ?? "";
  const completed = await complete(stage, { user: MARI, ticket, binding: String(begun.body.binding) });
  assertEquals(completed.status, 200);
  const { id, created_at, updated_at, access_expires_at, ...rest } = completed.body.connection as Record<
    string,
    unknown
  >;
  assertMatch(String(id), /^[0-9a-f-]{36}$/);
  for (const time of [created_at, updated_at, access_expires_at]) {
    assert(!Number.isNaN(Date.parse(String(time))));
  }
  assertEquals(rest, {
    provider: "pipedrive",
    status: "active",
    account: { id: "7100201:11", name: "Baltic Timber", email: "mari.tamm@example.com" },
    scope: ["base", "contacts:read"],
  });
  assertEquals([await stage.requests("token:exchange"), await stage.requests("users/me")], [1, 1]);
});

story("without return_to the browser comes back to the application's root", async (stage) => {
  for (const body of [{}, ""]) {
    const back = await stage.callback(await allow(stage, await begin(stage, MARI, { body })));
    assertMatch(back.location ?? "", /^https:\/\/app\.example\/#oauth_ticket=[\w-]{43}$/);
  }
});

story(
  "of several applications the one that asks gets its user back, and no other origin does",
  async (stage) => {
    const origins = [[OTHER_APP, OTHER_APP], [APP, APP], ["https://evil.example", APP], ["null", APP]];
    for (const [origin = "", expected] of origins) {
      const begun = await begin(stage, MARI, { body: { return_to: "/x" }, headers: { origin } });
      const back = await stage.callback(await allow(stage, begun));
      assertEquals(back.location?.split("#")[0], `${expected}/x`);
    }
  },
);

const paths = [
  "/",
  "/settings",
  "/a/b.html?x=1&y=a%20b",
  "/search?q=a%2Fb",
  "/~user/(x);y=1",
  "/?next=/inner",
];
story("OA-13: a path of the application is where the browser comes back to", async (stage) => {
  for (const return_to of paths) {
    const back = await stage.callback(await allow(stage, await begin(stage, MARI, { body: { return_to } })));
    assertEquals(back.location?.split("#")[0], APP + return_to);
  }
});

const notPaths = [
  "",
  "evil",
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "\\evil.example",
  "\\\\evil.example",
  "%2f%2fevil.example",
  "/%2f%2fevil.example",
  "/%2Fevil.example",
  "/%5cevil.example",
  "/a//evil.example",
  "/./evil",
  "/..//evil.example",
  "/a/../evil",
  "/a/%2e%2e/evil",
  "https:evil.example",
  "https://evil.example",
  "https:/evil.example",
  "javascript:alert(1)",
  "data:text/html,x",
  "@evil.example",
  "/@evil.example",
  "/%40evil.example",
  ".evil.example",
  ":8080/evil",
  "/x\r\nSet-Cookie: a=b",
  "/x%0d%0aSet-Cookie:a=b",
  "/x\u0000",
  "/x%00",
  "/x\ty",
  "/\t/evil.example",
  " /x",
  "/x y",
  "/x\u007f",
  "/x\u2028y",
  "/\u00e9",
  "/\uff0f/evil.example",
  "/x#y",
  "/#/route",
  "/<script>",
  "/x%",
  "/x%zz",
  `/${"x".repeat(1024)}`,
];
story("OA-13: return_to is a path under the application, or refused by name", async (stage) => {
  const wrongTypes = [null, 1, true, ["/x"], { path: "/x" }];
  for (const return_to of [...notPaths, ...wrongTypes]) {
    const answer = await stage.callback("/authorize", { user: MARI, body: { return_to } });
    assertEquals(refusal(answer), [400, "INVALID_REQUEST"], JSON.stringify(return_to));
    assertMatch(String(answer.body.message), /^"return_to" /);
  }
  assertEquals(stage.store.calls, []);
});

story("OA-12: no header of the request moves the redirect URI or the way back", async (stage) => {
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
  assertEquals(new URL(begun.authorization_url).searchParams.get("redirect_uri"), CALLBACK);
  const back = await stage.callback(await allow(stage, begun), { headers });
  assert(back.location?.startsWith(`${APP}/#`));
});

story("OA-28: a user with twenty open authorizations is told to wait", async (stage) => {
  for (let n = 0; n < 20; n += 1) await begin(stage);
  const answer = await stage.callback("/authorize", { user: MARI, body: {} });
  assertEquals(refusal(answer), [429, "PROVIDER_RATE_LIMITED"]);
  assertEquals([answer.headers.get("retry-after"), answer.body.retry_after], ["60", 60]);
  await begin(stage, JONAS);
});

story("OA-02: a hundred completions of one ticket make one exchange and one connection", async (stage) => {
  const request = await parked(stage);
  const answers = await Promise.all(Array.from({ length: 100 }, () => complete(stage, request)));
  assertEquals(answers.filter(({ status }) => status === 200).length, 1);
  const refused = answers.filter(({ status }) => status !== 200);
  for (const answer of refused) assertEquals(refusal(answer), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  assertEquals(await stage.requests("token:exchange"), 1);
});

story("OA-05, OA-07: nobody completes what someone else began, in either direction", async (stage) => {
  const [mari, jonas] = [await parked(stage, MARI), await parked(stage, JONAS)];
  for (
    const attempt of [{ ...mari, user: JONAS }, { ...jonas, user: MARI }, { ...mari, binding: jonas.binding }]
  ) {
    assertEquals(refusal(await complete(stage, attempt)), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  }
  assertEquals(await stage.requests("token:exchange"), 0);
  assertEquals([(await complete(stage, mari)).status, (await complete(stage, jonas)).status], [200, 200]);
});

story(
  "OA-06: a ticket without the binding of its tab completes nowhere, and then still in that tab",
  async (stage) => {
    const [request, other] = [await parked(stage), await begin(stage)];
    for (const binding of ["x".repeat(43), request.ticket, other.binding]) {
      assertEquals(refusal(await complete(stage, { ...request, binding })), [
        400,
        "AUTHORIZATION_REQUEST_INVALID",
      ]);
    }
    assertEquals(await stage.requests("token:exchange"), 0);
    assertEquals((await complete(stage, request)).status, 200);
  },
);

story("OA-03: an expired ticket is refused like an unknown one", async (stage) => {
  const request = await parked(stage);
  await stage.context.clock.advance(600_001);
  const expired = await complete(stage, request);
  const unknown = await complete(stage, { ...request, ticket: "x".repeat(43) });
  assertEquals(refusal(expired), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  assertEquals(expired.text, unknown.text);
  assertEquals(await stage.requests("token:exchange"), 0);
});

story(
  "OA-29: connecting again updates the connection in place, and a new user of the account gets one",
  async (stage) => {
    const [first, again, jonas] = [
      await connection(stage),
      await connection(stage),
      await connection(stage, JONAS),
    ];
    assertEquals(again.id, first.id);
    assertEquals((await stage.store.row(first.id)).version, 2);
    assertNotEquals(jonas.id, first.id);
  },
);

const exchangeFaults: [string, number, string][] = [
  ["500", 503, "PROVIDER_UNAVAILABLE"],
  ["503", 503, "PROVIDER_UNAVAILABLE"],
  ["timeout", 503, "PROVIDER_UNAVAILABLE"],
  ["reset", 503, "PROVIDER_UNAVAILABLE"],
  ["429", 429, "PROVIDER_RATE_LIMITED"],
  ["html_403", 503, "PROVIDER_UNAVAILABLE"],
  ["html_200", 502, "PROVIDER_RESPONSE_INVALID"],
  ["empty", 502, "PROVIDER_RESPONSE_INVALID"],
  ["no_access_token", 502, "PROVIDER_RESPONSE_INVALID"],
  ["huge", 502, "PROVIDER_RESPONSE_INVALID"],
  ["invalid_client", 500, "CONFIGURATION_INVALID"],
  ["redirect", 500, "CONFIGURATION_INVALID"],
];
for (const [how, status, code] of exchangeFaults) {
  story(
    `an exchange that meets ${how} is ${code}, and the same ticket completes afterwards`,
    async (stage) => {
      const request = await parked(stage);
      await stage.provider.fail_next({ on: "token:exchange", how: how as "500" });
      const answer = await complete(stage, request);
      assertEquals(refusal(answer), [status, code]);
      assertEquals(answer.headers.has("retry-after"), status === 503 || status === 429);
      assertEquals((await complete(stage, request)).status, 200);
    },
  );
}

story("a code that the provider refuses means: begin again", async (stage) => {
  const request = await parked(stage);
  await stage.provider.advance_clock(301_000);
  assertEquals(refusal(await complete(stage, request)), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  assertEquals(refusal(await complete(stage, request)), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  assertEquals(await stage.requests("token:exchange"), 1);
});

const accountFaults: [string, number, string][] = [
  ["500", 503, "PROVIDER_UNAVAILABLE"],
  ["reset", 503, "PROVIDER_UNAVAILABLE"],
  ["429", 429, "PROVIDER_RATE_LIMITED"],
  ["401", 502, "PROVIDER_RESPONSE_INVALID"],
  ["402", 403, "PROVIDER_FORBIDDEN"],
  ["403_scope", 403, "PROVIDER_FORBIDDEN"],
  ["html_200", 502, "PROVIDER_RESPONSE_INVALID"],
  ["redirect", 502, "PROVIDER_RESPONSE_INVALID"],
  ["huge", 502, "PROVIDER_RESPONSE_INVALID"],
];
for (const [how, status, code] of accountFaults) {
  story(
    `an account that cannot be learnt (${how}) is ${code}, and an earlier connection lives on`,
    async (stage) => {
      await stage.provider.configure({ reinstall_ends_old: false });
      const { id } = await connection(stage);
      const request = await parked(stage);
      await stage.provider.fail_next({ on: "users/me", how: how as "500", times: 9 });
      assertEquals(refusal(await complete(stage, request)), [status, code]);
      await stage.provider.clear_faults();
      assertEquals([(await stage.store.row(id)).status, (await stage.store.row(id)).version], ["active", 1]);
      assertEquals(await stage.requests("revoke"), 0);
      assertEquals((await stage.provider.installations()).length, 1);
    },
  );
}

story("an API that stumbles once costs the user nothing", async (stage) => {
  await stage.provider.fail_next({ on: "users/me", how: "503" });
  await connection(stage);
});

for (const api_domain of ["https://evil.example", "https://baltictimber.pipedrive.com.evil.example"]) {
  story(`a token for ${api_domain} goes nowhere`, async (stage) => {
    await stage.provider.configure({ api_domain });
    const request = await parked(stage);
    assertEquals(refusal(await complete(stage, request)), [502, "PROVIDER_RESPONSE_INVALID"]);
    assertEquals(await stage.requests("users/me"), 0);
  });
}

story("an exchange without a refresh token is refused", async (stage) => {
  await stage.provider.configure({ omit_refresh_token: true });
  const { provider } = stage;
  const exchange = stage.context.fetch;
  Object.assign(stage.context, {
    fetch: async (input: string, init: RequestInit) => {
      const response = await exchange(input, init);
      if (!input.endsWith("/token")) return response;
      const { refresh_token: _, ...rest } = await response.json();
      return Response.json(rest);
    },
  });
  assertEquals(refusal(await complete(stage, await parked(stage))), [502, "PROVIDER_RESPONSE_INVALID"]);
  assertEquals((await provider.counts()).requests.revoke, 0);
});

story("OA-24: disconnecting erases the tokens, and the provider ends the installation", async (stage) => {
  const { id } = await connection(stage);
  const answer = await stage.callback("/disconnect", { user: MARI, body: { connection_id: id } });
  assertEquals(answer.status, 200);
  const ended = answer.body.connection as Record<string, unknown>;
  assertEquals([ended.id, ended.status, ended.access_expires_at], [id, "disconnected", null]);
  assertEquals((await stage.store.row(id)).refresh_token_sealed, null);
  assertEquals(await stage.provider.installations(), []);

  const again = await stage.callback("/disconnect", { user: MARI, body: { connection_id: id } });
  assertEquals([again.status, await stage.requests("revoke")], [200, 1]);
});

story("OA-24: with the provider down the user is disconnected, and the revocation follows", async (stage) => {
  const { id } = await connection(stage);
  await stage.provider.fail_next({ on: "revoke", how: "503", times: 3 });
  const answer = await stage.callback("/disconnect", { user: MARI, body: { connection_id: id } });
  assertEquals(answer.status, 200);
  await stage.context.background();
  assertEquals(await stage.provider.installations(), []);
});

story("nobody disconnects someone else's connection", async (stage) => {
  const { id } = await connection(stage);
  for (const connection_id of [id, crypto.randomUUID()]) {
    const answer = await stage.callback("/disconnect", { user: JONAS, body: { connection_id } });
    assertEquals(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
  }
  assertEquals([(await stage.store.row(id)).status, await stage.requests("revoke")], ["active", 0]);
});

const actions: [string, Record<string, unknown>][] = [
  ["/authorize", {}],
  ["/complete", { ticket: "x".repeat(43), binding: "x".repeat(43) }],
  ["/disconnect", { connection_id: crypto.randomUUID() }],
];
for (const [action, body] of actions) {
  story(`OA-27: ${action} needs a user`, async (stage) => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const callers: [Record<string, string>, string][] = [
      [{}, "MISSING_CREDENTIALS"],
      [{ authorization: BASIC }, "MISSING_CREDENTIALS"],
      [{ apikey: "sb_publishable_test" }, "MISSING_CREDENTIALS"],
      [{ apikey: "sb_secret_default" }, "MISSING_CREDENTIALS"],
      [bearer(unsignedToken()), "INVALID_JWT"],
      [bearer(await foreignToken()), "INVALID_JWT"],
      [bearer(await userToken({ exp: 1 })), "INVALID_JWT"],
      [bearer(await userToken({ sub: "nobody" })), "INVALID_CREDENTIALS"],
    ];
    for (const [headers, code] of callers) {
      assertEquals(refusal(await stage.callback(action, { body, headers })), [401, code]);
    }
    assertEquals(stage.store.calls, []);
  });

  story(`${action} names what is wrong with its input and touches nothing`, async (stage) => {
    const field = Object.keys(body)[0] ?? "return_to";
    const inputs: [unknown, RegExp][] = [
      ["{", /JSON/],
      ["[]", /object/],
      ["null", /object/],
      [{ ...body, user_id: JONAS }, /"user_id"/],
      [{ ...body, provider: "x" }, /"provider"/],
      [{ ...body, [field]: 7 }, new RegExp(`"${field}"`)],
      [{ ...body, [field]: "" }, new RegExp(`"${field}"`)],
      [{ ...body, [field]: "x".repeat(2_000) }, new RegExp(`"${field}"`)],
      [{ ...body, [field]: "x".repeat(20_000) }, /KiB/],
      ...Object.keys(body).map((
        name,
      ): [unknown, RegExp] => [{ ...body, [name]: undefined }, new RegExp(`"${name}"`)]),
    ];
    for (const [input, message] of inputs) {
      const answer = await stage.callback(action, { user: MARI, body: input });
      assertEquals(refusal(answer), [400, "INVALID_REQUEST"], JSON.stringify(input).slice(0, 80));
      assertMatch(String(answer.body.message), message);
    }
    const untyped = await stage.callback(action, {
      user: MARI,
      body: JSON.stringify(body),
      headers: { "content-type": "text/plain" },
    });
    assertEquals(refusal(untyped), [400, "INVALID_REQUEST"]);
    assertEquals(stage.store.calls, []);
  });

  story(`${action} is a POST`, async (stage) => {
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
      const answer = await stage.callback(action, { method, user: MARI });
      assertEquals([answer.status, answer.headers.get("allow")], [405, "POST"]);
      assertEquals(answer.body.code, "METHOD_NOT_ALLOWED");
    }
  });
}

story(
  "a database that is down is STORAGE_UNAVAILABLE, and the same request works afterwards",
  async (stage) => {
    stage.store.failNext("begin_authorization");
    const began = await stage.callback("/authorize", { user: MARI, body: {} });
    assertEquals([...refusal(began), began.headers.has("retry-after")], [503, "STORAGE_UNAVAILABLE", true]);
    const request = await parked(stage);
    stage.store.failNext("take_authorization");
    assertEquals(refusal(await complete(stage, request)), [503, "STORAGE_UNAVAILABLE"]);
    assertEquals((await complete(stage, request)).status, 200);
  },
);

// The redirect.

story(
  "OA-14: the redirect is a 303 that nothing caches, refers or sniffs, with an empty body",
  async (stage) => {
    const query = await allow(stage, await begin(stage));
    for (
      const answer of [
        await stage.callback(query),
        await stage.callback(query),
        await stage.callback("?code=x"),
      ]
    ) {
      assertEquals([answer.status, answer.text], [303, ""]);
      assertEquals(answer.headers.get("cache-control"), "no-store");
      assertEquals(answer.headers.get("referrer-policy"), "no-referrer");
      assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
    }
  },
);

story("OA-16: a repeated redirect, and a repeated completion, make no second connection", async (stage) => {
  const begun = await begin(stage);
  const query = await allow(stage, begun);
  const first = await stage.callback(query);
  const second = await stage.callback(query);
  assertEquals(second.location, `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`);
  const request = { user: MARI, binding: begun.binding, ticket: first.fragment.get("oauth_ticket") ?? "" };
  assertEquals((await complete(stage, request)).status, 200);
  assertEquals(refusal(await complete(stage, request)), [400, "AUTHORIZATION_REQUEST_INVALID"]);
  assertEquals(await stage.requests("token:exchange"), 1);
});

story("OA-02: of a hundred redirects with one state exactly one brings a ticket", async (stage) => {
  const query = await allow(stage, await begin(stage));
  const answers = await Promise.all(Array.from({ length: 100 }, () => stage.callback(query)));
  assertEquals(answers.filter(({ fragment }) => fragment.has("oauth_ticket")).length, 1);
});

story("OA-03: a state that came too late brings no ticket", async (stage) => {
  const query = await allow(stage, await begin(stage));
  await stage.context.clock.advance(600_001);
  const answer = await stage.callback(query);
  assertEquals(answer.location, `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`);
});

story(
  "OA-04: missing, empty, repeated or bracketed parameters park nothing and leave the state usable",
  async (stage) => {
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
      "?anything=else",
    ];
    for (const one of malformed) {
      const answer = await stage.callback(one);
      assertEquals([answer.status, answer.fragment.get("oauth_ticket")], [303, null], one.slice(0, 60));
      assertMatch(answer.location ?? "", /^https:\/\/app\.example#oauth_error=AUTHORIZATION_[A-Z_]+$/);
    }
    assert((await stage.callback(query)).fragment.has("oauth_ticket"));
  },
);

story(
  "OA-15: a denial ends in the application, uses up the state, and repeats none of the provider's words",
  async (stage) => {
    for (const error of ["user_denied", "access_denied", "server_error", "%3Cscript%3E"]) {
      const begun = await begin(stage, MARI, { body: { return_to: "/settings" } });
      const description = "error_description=%3Cscript%3Ealert(1)%3C/script%3E%0D%0ASet-Cookie:%20a=b";
      const query = `?error=${error}&${description}&state=${begun.state}`;
      const answer = await stage.callback(query);
      assertEquals([answer.status, answer.text], [303, ""]);
      assertEquals(answer.location, `${APP}/settings#oauth_error=AUTHORIZATION_DENIED`);
      const again = await stage.callback(await allow(stage, begun));
      assertEquals(again.fragment.get("oauth_error"), "AUTHORIZATION_REQUEST_INVALID");
    }
  },
);

story("OA-15: cancelling the provider's dialog is a denial", async (stage) => {
  const { authorization_url } = await begin(stage);
  const back = new URL(await stage.provider.authorize({ authorization_url, deny: true }));
  assertEquals((await stage.callback(back.search)).fragment.get("oauth_error"), "AUTHORIZATION_DENIED");
});

story("OA-17: an installation begun at the provider stores nothing and offers to connect", async (stage) => {
  const back = new URL(await stage.provider.install());
  const answer = await stage.callback(back.search);
  assertEquals(answer.location, `${APP}#oauth_error=AUTHORIZATION_NOT_STARTED_HERE`);
  assertEquals([stage.store.calls, await stage.requests("token:exchange")], [[], 0]);
});

story("OA-08: a state counts on the path of its provider alone", async (stage) => {
  const { state } = await begin(stage);
  const answer = await stage.callback(`/../acme?code=a&state=${state}`);
  assertEquals(refusal(answer), [404, "UNKNOWN_PROVIDER"]);
  assert((await stage.callback(`?code=a&state=${state}`)).fragment.has("oauth_ticket"));
});

story("a browser that loads ahead, or only asks for headers, does not use up the state", async (stage) => {
  const query = await allow(stage, await begin(stage));
  const ahead = [["sec-purpose", "prefetch;prerender"], ["purpose", "prefetch"], ["x-moz", "prefetch"]];
  for (const header of ahead) {
    const headers = Object.fromEntries([header]);
    assertEquals(refusal(await stage.callback(query, { headers })), [400, "INVALID_REQUEST"]);
  }
  assertEquals((await stage.callback(query, { method: "HEAD" })).status, 200);
  assert((await stage.callback(query)).fragment.has("oauth_ticket"));
});

story(
  "a database that is down sends the browser to the application with the code, and the state waits",
  async (stage) => {
    const query = await allow(stage, await begin(stage));
    stage.store.failNext("receive_authorization_response");
    const answer = await stage.callback(query);
    assertEquals(answer.location, `${APP}#oauth_error=STORAGE_UNAVAILABLE`);
    assert((await stage.callback(query)).fragment.has("oauth_ticket"));
  },
);

story("a stored way back that is not under the application is not gone", async (stage) => {
  const { callback, store } = stage;
  const original = store.receiveAuthorizationResponse.bind(store);
  store.receiveAuthorizationResponse = async (response) => {
    const row = await original(response);
    return row && { return_to: "https://evil.example/" };
  };
  const answer = await callback(await allow(stage, await begin(stage)));
  assertEquals(answer.location, `${APP}#oauth_error=AUTHORIZATION_REQUEST_INVALID`);
});

// What the provider sends by itself.

story(
  "a bare GET or HEAD, as a check of the redirect URI sends it, is answered at once and changes nothing",
  async (stage) => {
    for (const method of ["GET", "HEAD"]) assertEquals((await stage.callback("", { method })).status, 200);
    assertEquals(stage.store.calls, []);
  },
);

story("OA-25: the notice of app sharing changes nothing, whatever it holds", async (stage) => {
  const { id } = await connection(stage);
  const calls = stage.store.calls.length;
  const bodies = [
    { ...ACCOUNT, isShared: false },
    "{“company_id”: 007, “user_id”: 007}",
    "",
    { ...NOTICE, timestamp: new Date().toISOString() },
  ];
  for (const body of bodies) {
    assertEquals((await stage.callback("", { body })).status, 200);
    assertEquals((await stage.callback("", { body, user: MARI })).status, 200);
  }
  assertEquals((await stage.provider.send_app_sharing_notice(ACCOUNT)).status, 200);
  assertEquals([stage.store.calls.length, (await stage.store.row(id)).status], [calls, "active"]);
});

story("OA-25: an uninstall notice erases the tokens of this account, as often as it comes", async (stage) => {
  const { id } = await connection(stage);
  const colleague = await stage.connected({ account_key: "7100201:12" });
  for (const ids of ["number", "string"] as const) {
    const { status } = await stage.provider.uninstall({ ...ACCOUNT, ids });
    assertEquals(status, 200);
    const { status: state, version, refresh_token_sealed } = await stage.store.row(id);
    assertEquals([state, version, refresh_token_sealed], ["disconnected", 2, null]);
  }
  assertEquals((await stage.store.row(colleague.id)).status, "active");
});

story("OA-25: a notice about an account that is not connected is acknowledged", async (stage) => {
  assertEquals((await stage.provider.uninstall({ company_id: 1, user_id: 2 })).status, 200);
});

story("OA-25: a late notice does not undo a newer connection", async (stage) => {
  const { id } = await connection(stage);
  const late = ["2025-12-31T23:59:59Z", "2025-12-31 23:59:58", "2025-12-31T23:59:58+00:00", 1767225598];
  for (
    const timestamp of [
      ...late,
      "1767225598",
      1767225598000,
      "1767225598000",
      "Wed, 31 Dec 2025 23:59:58 GMT",
    ]
  ) {
    assertEquals((await stage.provider.uninstall({ ...ACCOUNT, timestamp })).status, 200);
    assertEquals((await stage.store.row(id)).status, "active", String(timestamp));
  }
});

story("a notice of the second in which the user connected is about that connection", async (stage) => {
  for (const timestamp of [1767225600, "2026-01-01T00:00:00Z", "2026-01-01 00:00:00"]) {
    const { id } = await connection(stage);
    await stage.provider.uninstall({ ...ACCOUNT, timestamp });
    assertEquals((await stage.store.row(id)).status, "disconnected", String(timestamp));
  }
});

story("a notice whose time cannot be understood counts as one without a time", async (stage) => {
  for (const timestamp of [null, "", "yesterday", 0, -5, "0000", 1e300]) {
    const { id } = await connection(stage);
    assertEquals((await stage.provider.uninstall({ ...ACCOUNT, timestamp })).status, 200);
    assertEquals((await stage.store.row(id)).status, "disconnected", String(timestamp));
  }
});

const impostors: [string, Record<string, string>, Record<string, unknown>][] = [
  ["without credentials", {}, NOTICE],
  ["with a wrong secret", { authorization: `Basic ${btoa("3f1c5c8a9b2d4e6f:wrong")}` }, NOTICE],
  ["with another client's id", { authorization: `Basic ${btoa("other:3cbb1f0c6a2e4d7790ab")}` }, NOTICE],
  ["with half a secret", { authorization: `Basic ${btoa("3f1c5c8a9b2d4e6f:3cbb1f0c6a2e4d77")}` }, NOTICE],
  ["with nothing after Basic", { authorization: "Basic " }, NOTICE],
  ["with what is not base64", { authorization: "Basic ====" }, NOTICE],
  ["about another client", { authorization: BASIC }, { ...NOTICE, client_id: "0".repeat(16) }],
];
for (const [how, headers, body] of impostors) {
  story(`OA-25: a notice ${how} is refused and changes nothing`, async (stage) => {
    const { id } = await connection(stage);
    const answer = await stage.callback("", { method: "DELETE", headers, body });
    assertEquals(refusal(answer), [401, "INVALID_CREDENTIALS"]);
    assertEquals(answer.headers.get("www-authenticate"), 'Basic realm="oauth-callback"');
    assertEquals((await stage.store.row(id)).status, "active");
  });
}

story("OA-25: a user's token does not make a notice", async (stage) => {
  const { id } = await connection(stage);
  const answer = await stage.callback("", { method: "DELETE", user: MARI, body: NOTICE });
  assertEquals([refusal(answer), (await stage.store.row(id)).status], [
    [401, "INVALID_CREDENTIALS"],
    "active",
  ]);
});

story("a notice is read leniently, and what it lacks is named", async (stage) => {
  const headers = { authorization: BASIC.replace("Basic", "basic"), "content-type": "text/plain" };
  const lenient = { ...NOTICE, company_id: " 007100201", extra: { a: 1 } };
  const { id } = await connection(stage);
  assertEquals((await stage.callback("", { method: "DELETE", headers, body: lenient })).status, 200);
  assertEquals((await stage.store.row(id)).status, "disconnected");
  for (const field of ["client_id", "company_id", "user_id"]) {
    for (const value of [undefined, null, {}, ...(field === "client_id" ? [] : ["", "x", 1.5, -1])]) {
      const answer = await stage.callback("", {
        method: "DELETE",
        headers,
        body: { ...NOTICE, [field]: value },
      });
      assertEquals(refusal(answer), [400, "INVALID_REQUEST"], `${field}: ${value}`);
      assertMatch(String(answer.body.message), new RegExp(`"${field}"`));
    }
  }
  const broken = await stage.callback("", { method: "DELETE", headers, body: "{" });
  assertEquals(refusal(broken), [400, "INVALID_REQUEST"]);
});

story("after an uninstall the user may connect again, in place", async (stage) => {
  const { id } = await connection(stage);
  await stage.provider.uninstall(ACCOUNT);
  assertEquals((await connection(stage)).id, id);
  assertEquals((await stage.store.row(id)).version, 3);
});

// The paths.

story("an unknown provider and an unknown path are not found, for every method", async (stage) => {
  const query = "?code=a&state=b";
  for (
    const [path, method] of [
      ["/../acme", "GET"],
      [`/../acme${query}`, "GET"],
      ["/../acme", "POST"],
      ["/../acme", "DELETE"],
      ["/../acme/authorize", "POST"],
      ["/../__proto__", "GET"],
      ["/..", "GET"],
      ["/begin", "POST"],
      ["/authorize/more", "POST"],
      ["/constructor", "POST"],
    ] as const
  ) {
    const answer = await stage.callback(path, { method, user: MARI });
    assertEquals(refusal(answer), [404, "UNKNOWN_PROVIDER"], `${method} ${path}`);
  }
  assertEquals(stage.store.calls, []);
});

story("the bare path tells which methods it knows", async (stage) => {
  for (const method of ["PUT", "PATCH"]) {
    const answer = await stage.callback("", { method });
    assertEquals(refusal(answer), [405, "METHOD_NOT_ALLOWED"]);
    assertEquals(answer.headers.get("allow"), "GET, HEAD, POST, DELETE");
  }
});
