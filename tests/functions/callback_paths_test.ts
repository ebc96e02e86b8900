/** What `oauth-callback` answers where, and to whom; what is refused touches nothing. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { JONAS, MARI } from "../support/store.ts";
import { PUBLISHABLE_KEY } from "./callers.ts";
import { SECRET, story } from "./stage.ts";

const actions: [string, Record<string, unknown>][] = [
  ["/authorize", {}],
  ["/complete", { ticket: "x".repeat(43), binding: "x".repeat(43) }],
  ["/disconnect", { connection_id: crypto.randomUUID() }],
];
for (const [action, body] of actions) {
  story(`${action} needs a user: no key and no client stands for one`, async (stage) => {
    const client = { authorization: `Basic ${btoa("3f1c5c8a9b2d4e6f:3cbb1f0c6a2e4d7790ab")}` };
    for (const headers of [{}, client, { apikey: PUBLISHABLE_KEY }, SECRET]) {
      assertEquals((await stage.callback(action, { body, headers })).refusal, [401, "MISSING_CREDENTIALS"]);
    }
    assertEquals(stage.store.calls, []);
  });

  story(`${action} names what is wrong with its input`, async (stage) => {
    const fields = Object.keys(body);
    const [field = "return_to"] = fields;
    const inputs: [unknown, string][] = [
      ["{", "JSON"],
      [{ ...body, user_id: JONAS }, '"user_id"'],
      [{ ...body, provider: "x" }, '"provider"'],
      [{ ...body, [field]: "x".repeat(20_000) }, "KiB"],
    ];
    for (const value of [7, "", "x".repeat(2_000)]) inputs.push([{ ...body, [field]: value }, `"${field}"`]);
    for (const name of fields) inputs.push([{ ...body, [name]: undefined }, `"${name}"`]);
    for (const [input, named] of inputs) {
      const { refusal, body } = await stage.callback(action, { user: MARI, body: input });
      assertEquals(refusal, [400, "INVALID_REQUEST"], JSON.stringify(input).slice(0, 80));
      assertMatch(String(body.message), new RegExp(named));
    }
    assertEquals(stage.store.calls, []);
  });

  story(`${action} is a POST`, async (stage) => {
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
      const { refusal, headers } = await stage.callback(action, { method, user: MARI });
      assertEquals([...refusal, headers.get("allow")], [405, "METHOD_NOT_ALLOWED", "POST"]);
    }
  });
}

story("a bare GET or HEAD, as a check of the redirect URI sends it, is answered at once", async (stage) => {
  for (const method of ["GET", "HEAD"]) assertEquals((await stage.callback("", { method })).status, 200);
  assertEquals(stage.store.calls, []);
});

story("the bare path tells which methods it knows", async (stage) => {
  for (const method of ["PUT", "PATCH"]) {
    const { refusal, headers } = await stage.callback("", { method });
    assertEquals([...refusal, headers.get("allow")], [405, "METHOD_NOT_ALLOWED", "GET, HEAD, POST, DELETE"]);
  }
});

story("whoever asks is told which providers are offered, and what they ask for", async (stage) => {
  const { status, body } = await stage.callback("/..");
  const offered = ["pipedrive", "elsewhere"].map((name) => ({ name, values: [] }));
  assertEquals([status, body], [200, { providers: offered }]);
});

const unknown = [
  ["/../nobody", "GET"],
  ["/../nobody?code=a&state=b", "GET"],
  ["/../nobody", "POST"],
  ["/../nobody", "DELETE"],
  ["/../nobody/authorize", "POST"],
  ["/../__proto__", "GET"],
  ["/..", "POST"],
  ["/begin", "POST"],
  ["/authorize/more", "POST"],
  ["/constructor", "POST"],
] as const;
story("an unknown provider and an unknown path are not found, for every method", async (stage) => {
  for (const [path, method] of unknown) {
    const { refusal } = await stage.callback(path, { method, user: MARI });
    assertEquals(refusal, [404, "UNKNOWN_PROVIDER"], `${method} ${path}`);
  }
  assertEquals(stage.store.calls, []);
});
