/** Any other call of a provider's API, as far as the application's policy lets it through. */
import { assert, assertEquals } from "../support/assert.ts";
import { json, respondWith, type SentRequest } from "../support/fake_fetch.ts";
import { MARI } from "../support/store.ts";
import { SECRET, type Stage, story } from "./stage.ts";
import { connect } from "./steps.ts";

const DEAL = "/pipedrive/api/v2/deals/7";

/** A connection, and an API that answers by a script; its last entry stays. */
async function scene(stage: Stage, ...script: ((request: SentRequest) => Response)[]) {
  const id = await connect(stage);
  const sandbox = stage.context.fetch;
  const api = respondWith((request) => {
    const answer = script.length > 1 ? script.shift() : script[0];
    if (!answer) throw new Error(`no request was expected: ${request.url}`);
    return answer(request);
  });
  const isApi = (input: RequestInfo | URL) => new URL(new Request(input).url).pathname.startsWith("/api/");
  Object.assign(stage.context, {
    fetch: (input: URL | string, init?: RequestInit) => (isApi(input) ? api : sandbox)(input, init),
  });
  return { id, sent: api.requests };
}

const deal = () => json({ success: true, data: { id: 7 } });

story("what the policy allows is passed on, and of the caller only what may travel", async (stage) => {
  const { sent } = await scene(stage, () =>
    new Response("a,b\n", {
      status: 201,
      headers: { "content-type": "text/csv; charset=utf-8", etag: '"1"', "set-cookie": "s=1", "x-own": "x" },
    }));
  const headers = { accept: "text/csv", cookie: "c=1", "x-api-token": "t", authorization: "" };
  const { authorization: _, ...own } = headers;
  const answer = await stage.proxy("/pipedrive/api/v2/deals?a=1&b=%20", {
    user: MARI,
    method: "POST",
    headers: own,
    body: { title: "New" },
  });
  assertEquals([answer.status, answer.text], [201, "a,b\n"]);
  assertEquals(answer.headers.get("content-type"), "text/csv; charset=utf-8");
  assertEquals([answer.headers.get("etag"), answer.headers.get("x-own")], ['"1"', null]);
  const [request, ...more] = sent;
  assertEquals(more, []);
  assertEquals(request?.url, "https://baltictimber.pipedrive.com/api/v2/deals?a=1&b=%20");
  assertEquals([request?.method, request?.body], ["POST", '{"title":"New"}']);
  assertEquals([...request?.headers.keys() ?? []].sort(), [
    "accept",
    "authorization",
    "content-type",
    "user-agent",
  ]);
});

story("what no line allows is not sent, and the log says where it would be", async (stage) => {
  const { sent } = await scene(stage);
  for (
    const [path, method] of [
      ["/pipedrive/api/v2/persons/7", "GET"],
      [DEAL, "PATCH"],
      ["/pipedrive/api/v2/deals/7%2fparticipants", "GET"],
      ["/pipedrive/api/v2/deals/7?api_token=x", "GET"],
      ["/pipedrive:files/api/v2/deals/7", "GET"],
      ["/__proto__/x", "GET"],
      ["", "GET"],
    ]
  ) {
    const { refusal, line } = await stage.proxy(path ?? "", { user: MARI, method });
    assertEquals(refusal, [403, "REQUEST_NOT_ALLOWED"], path);
    assert(String(line.reason).length > 10);
  }
  const { line } = await stage.proxy("/pipedrive/api/v2/persons/7");
  assert(String(line.reason).includes("proxy/allowed.ts"), String(line.reason));
  assertEquals(sent.length, 0);
});

story(
  "users and secret keys have lists of their own, and a secret key names the connection",
  async (stage) => {
    const { id, sent } = await scene(stage, deal);
    const named = { ...SECRET, "x-connection-id": id };
    assertEquals((await stage.proxy("/pipedrive/api/v2/users", { headers: named })).status, 200);
    assertEquals((await stage.proxy(DEAL, { method: "DELETE", headers: named })).refusal, [
      403,
      "REQUEST_NOT_ALLOWED",
    ]);
    assertEquals((await stage.proxy(DEAL, { headers: SECRET })).refusal, [400, "INVALID_REQUEST"]);
    assertEquals(sent.length, 1);
  },
);

story("a refused token is refreshed, and the call sent once more, whatever it does", async (stage) => {
  const { sent } = await scene(stage, () => json({}, 401), deal);
  stage.clock.pause(10_000);
  const answer = await stage.proxy("/pipedrive/api/v2/deals", { user: MARI, method: "POST", body: {} });
  assertEquals([answer.status, sent.length, answer.line.version], [200, 2, 2]);
});

story("an outage is retried for a GET alone, and otherwise told as it came", async (stage) => {
  const down = () => json({ error: "down" }, 503, { "retry-after": "1" });
  const { sent } = await scene(stage, down);
  const post = await stage.proxy("/pipedrive/api/v2/deals", { user: MARI, method: "POST", body: {} });
  assertEquals([post.status, post.body, post.headers.get("retry-after")], [503, { error: "down" }, "1"]);
  assertEquals(sent.length, 1);
  await stage.proxy("/pipedrive/api/v1/touch");
  assertEquals(sent.length, 2, "a GET that changes something is none");
  const get = await stage.proxy(DEAL);
  assertEquals([get.status, get.body, sent.length], [503, { error: "down" }, 5]);
});

story("what the API refuses says what is wrong, and an empty answer is one", async (stage) => {
  const wrong = { success: false, error: "title is required" };
  await scene(stage, () => json(wrong, 400), () => new Response(null, { status: 204 }), () => json(wrong));
  const refused = await stage.proxy("/pipedrive/api/v2/deals", { user: MARI, method: "POST", body: {} });
  assertEquals([refused.status, refused.body], [400, wrong]);
  const empty = await stage.proxy(DEAL, { user: MARI, method: "DELETE" });
  assertEquals([empty.status, empty.text], [204, ""]);
  assertEquals((await stage.proxy(DEAL)).body, wrong, "what success means is for who asks");
});

story("a redirect is followed nowhere", async (stage) => {
  const { sent } = await scene(stage, () => json({}, 302, { location: "https://evil.example/" }));
  assertEquals((await stage.proxy(DEAL)).refusal, [502, "PROVIDER_RESPONSE_INVALID"]);
  assert(sent.every(({ url }) => url.startsWith("https://baltictimber.pipedrive.com/")));
});

story("only what changes nothing is sent while the door is looked at", async (stage) => {
  const { id, sent } = await scene(stage, deal);
  assertEquals((await stage.proxy(DEAL)).status, 200);
  const ended = await stage.callback("/disconnect", { user: MARI, body: { connection_id: id } });
  assertEquals(ended.status, 200);
  const before = sent.length;
  for (
    const [path, method] of [["/pipedrive/api/v2/deals", "POST"], [DEAL, "DELETE"], [
      "/pipedrive/api/v1/touch",
      "GET",
    ]]
  ) {
    const { refusal } = await stage.proxy(path ?? "", { user: MARI, method });
    assertEquals(refusal, [404, "CONNECTION_NOT_FOUND"], method);
  }
  assertEquals(sent.length, before);
});

story("a body may have 1 MiB", async (stage) => {
  const { sent } = await scene(stage, deal);
  const post = (body: string) => stage.proxy("/pipedrive/api/v2/deals", { user: MARI, method: "POST", body });
  assertEquals((await post("x".repeat(1024 * 1024))).status, 200);
  assertEquals((await post("x".repeat(1024 * 1024 + 1))).refusal, [400, "INVALID_REQUEST"]);
  assertEquals(sent.length, 1);
});

story("a page of another origin may name the connection, by every method", async (stage) => {
  const { headers } = await stage.proxy("/pipedrive", { method: "OPTIONS" });
  for (
    const [name, values] of [["methods", ["PUT", "PATCH"]], ["headers", [
      "x-connection-id",
      "linkedin-version",
    ]]]
  ) {
    const allowed = headers.get(`access-control-allow-${name}`)?.split(", ") ?? [];
    for (const value of values ?? []) assert(allowed.includes(value), value);
  }
});
