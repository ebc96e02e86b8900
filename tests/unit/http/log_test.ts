/** What an operator reads of a request, and what its caller does: a line of JSON and a header. */
import { json } from "../../../supabase/functions/_shared/http/respond.ts";
import { type LogFields, writeLine } from "../../../supabase/functions/_shared/http/log.ts";
import { ask, asUser, USER } from "../../functions/edge_scene.ts";
import { logging } from "../../functions/log_lines.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";

Deno.test("a request's line says who asked for what, what came of it and what it cost elsewhere", async () => {
  const { result, lines } = await ask(await asUser(), async ({ log, meters }) => {
    Object.assign(log, { connection_id: "c1", provider: "pipedrive", outcome: "found", attempts: 2 });
    await meters.database.measure(() => Promise.resolve());
    await meters.database.measure(() => Promise.resolve());
    await meters.provider.measure(() => Promise.resolve());
    return json({});
  });
  const [line = {}] = lines;
  for (const name of ["milliseconds", "database_milliseconds", "provider_milliseconds"]) {
    assert(typeof line[name] === "number", name);
    delete line[name];
  }
  assertEquals(lines, [{
    request_id: result.headers.get("x-request-id"),
    function: "echo",
    caller: USER,
    connection_id: "c1",
    provider: "pipedrive",
    outcome: "found",
    status: 200,
    provider_calls: 1,
    attempts: 2,
    database_calls: 2,
  }]);
});

Deno.test("the line and the header count alike, also where the request fails", async () => {
  const { result, lines } = await ask(await asUser(), async ({ meters }) => {
    await meters.database.measure(() => Promise.reject(new TypeError("canary")));
    return json({});
  });
  const [line = {}] = lines;
  assertEquals([line.code, line.database_calls, line.provider_calls], ["INTERNAL_ERROR", 1, undefined]);
  assertEquals(
    result.headers.get("server-timing"),
    `db;dur=${line.database_milliseconds}, total;dur=${line.milliseconds}`,
  );
});

Deno.test("a page of another origin may read how long its request took, on every answer", async () => {
  const requests: Parameters<typeof ask>[] = [
    [await asUser()],
    [{}],
    [{ method: "OPTIONS" }],
    [await asUser(), () => Promise.reject(new Error("canary"))],
  ];
  for (const request of requests) {
    const { result: { headers } } = await ask(...request);
    assertMatch(headers.get("server-timing") ?? "", /^total;dur=\d+$/);
    assertEquals(headers.get("timing-allow-origin"), "*");
    assert(headers.get("access-control-expose-headers")?.split(", ").includes("server-timing"));
  }
});

Deno.test("writeLine() leaves out whatever is not on its list", async () => {
  const fields: LogFields = { request_id: "r", function: "f", database_calls: 1 };
  const { lines, text } = await logging(() =>
    Promise.resolve(writeLine(Object.assign(fields, { access_token: "canary", url: "https://canary/?x" })))
  );
  assertEquals(lines, [{ request_id: "r", function: "f", database_calls: 1 }]);
  assert(!text.includes("canary"));
});
