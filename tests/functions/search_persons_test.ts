import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import { searchPersons } from "../../supabase/functions/search-persons/handler.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { connected } from "../support/context.ts";
import { makeClient } from "../support/make.ts";
import { userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";
import { ADDRESS, scene } from "./search_scene.ts";

const PERSONS = "https://baltictimber.pipedrive.com/api/v2/persons/search";

Deno.test("a search answers with Pipedrive's body byte for byte and its rate-limit headers", async () => {
  const { connect, search, network } = await scene({ daily_budget: 30_000 });
  const { user_id, access_token, id, version } = await connect();
  const direct = await network(`${PERSONS}?term=jane`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const { result, lines } = await search(user_id);
  assertEquals(result.status, 200);
  assertEquals(await result.text(), await direct.text());
  assertEquals(result.headers.get("content-type"), direct.headers.get("content-type"));
  for (const name of ["x-ratelimit-limit", "x-ratelimit-reset", "x-daily-ratelimit-token-limit"]) {
    assert(direct.headers.has(name), name);
    assertEquals(result.headers.get(name), direct.headers.get(name));
  }
  const { request_id: _id, milliseconds: _ms, ...line } = lines[0] ?? {};
  assertEquals(line, {
    function: "search-persons",
    caller: user_id,
    connection_id: id,
    provider: "pipedrive",
    version,
    outcome: "found",
    status: 200,
    attempts: 1,
  });
});

Deno.test("a POST searches as a GET does", async () => {
  const { connect, ask, search } = await scene();
  const { user_id, id } = await connect();
  const authorization = `Bearer ${await userToken({ sub: user_id })}`;
  const posted = await ask(ADDRESS, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      term: "a+b@example.com",
      fields: "email",
      exact_match: true,
      limit: 1,
      connection_id: id,
    }),
  });
  const got = await search(user_id, "term=a%2Bb@example.com&fields=email&exact_match=true&limit=1");
  assertEquals([posted.result.status, got.result.status], [200, 200]);
  assertEquals(await posted.result.text(), await got.result.text());
});

for (
  const term of [
    "a+b@example.com",
    "Smith & Sons, 100% Ltd",
    "D=J\" O'Neil",
    "李小龍",
    "Õunapuu",
    "dj#1@example.com",
  ]
) {
  Deno.test(`a search finds ${term}`, async () => {
    const { connect, search, control } = await scene();
    const { user_id } = await connect();
    const { result } = await search(user_id, new URLSearchParams({ term }).toString());
    assertEquals((await result.json()).data.items.length, 1);
    assertEquals((await control.journal()).at(-1)?.query, { term });
  });
}

Deno.test("a cursor leads to the next page", async () => {
  const { connect, search } = await scene();
  const { user_id } = await connect();
  const first = await (await search(user_id, "term=example&limit=2")).result.json();
  const { next_cursor } = first.additional_data;
  const second = await (await search(user_id, `term=example&limit=2&cursor=${next_cursor}`)).result.json();
  const ids = [...first.data.items, ...second.data.items].map(({ item }) => item.id);
  assertEquals([ids.length, new Set(ids).size], [4, 4]);
});

Deno.test("an expired access token is refreshed before the search, unnoticed", async () => {
  const { connect, search, searches, refreshes } = await scene();
  const { user_id } = await connect({ expires_in_ms: 0 });
  const { result } = await search(user_id);
  assertEquals([result.status, await searches(), await refreshes()], [200, 1, 1]);
});

Deno.test("an access token that dies early costs one refresh and one replay, twice in a row", async () => {
  const { connect, search, control, searches, refreshes } = await scene();
  const { user_id } = await connect();
  for (const time of [1, 2]) {
    await control.expire_access_tokens();
    assertEquals((await search(user_id)).result.status, 200);
    assertEquals([await searches(), await refreshes()], [2 * time, time]);
  }
});

Deno.test("fifty searches on an expired token are fifty answers and one refresh", async () => {
  const { connect, context, search, refreshes } = await scene({ search_burst: null });
  const { user_id } = await connect({ expires_in_ms: 0 });
  const token = `Bearer ${await userToken({ sub: user_id })}`;
  const fetch = serve(
    "search-persons",
    ["user"],
    (edge) =>
      searchPersons(
        edge,
        () =>
          Promise.resolve({ app_origins: [], providers: [], context: () => context, store: context.store }),
      ),
  );
  const { result } = await logging(() =>
    Promise.all(
      Array.from({ length: 50 }, () =>
        fetch(new Request(`${ADDRESS}?term=jane`, { headers: { authorization: token } }))),
    )
  );
  assertEquals(result.map(({ status }) => status), Array(50).fill(200));
  assertEquals(await refreshes(), 1);
  assertEquals((await search(user_id)).result.status, 200);
});

Deno.test("a secret key searches with the connection that it names, and must name one", async () => {
  const { connect, asSecret, searches } = await scene();
  const { id } = await connect();
  assertEquals((await asSecret(`term=jane&connection_id=${id}`)).result.status, 200);
  const { result } = await asSecret("term=jane");
  const body = await result.json();
  assertEquals([result.status, body.code, await searches()], [400, "INVALID_REQUEST", 1]);
  assert(body.message.includes('"connection_id"'));
});

Deno.test("a user who is not connected is told so", async () => {
  const { search, searches } = await scene();
  const { result } = await search(crypto.randomUUID());
  assertEquals([result.status, (await result.json()).code, await searches()], [
    404,
    "CONNECTION_NOT_FOUND",
    0,
  ]);
});

Deno.test("a foreign connection, an unknown one and another provider's are the same 404, and nobody is asked", async () => {
  const { connect, search, asSecret, context, searches, refreshes } = await scene();
  const [owner, stranger] = [await connect(), await connect()];
  const { provider } = context.client;
  const elsewhere = { ...context, client: makeClient({ provider: { ...provider, name: "other" } }) };
  const other = await connected(elsewhere, { user_id: stranger.user_id, expires_in_ms: 0 });
  const messages = new Set<string>();
  for (const id of [owner.id, owner.id.toUpperCase(), crypto.randomUUID(), other.id]) {
    const { result } = await search(stranger.user_id, `term=jane&connection_id=${id}`);
    const { code, message } = await result.json();
    assertEquals([result.status, code], [404, "CONNECTION_NOT_FOUND"]);
    messages.add(message);
  }
  assertEquals(messages.size, 1);
  assertEquals((await asSecret(`term=jane&connection_id=${other.id}`)).result.status, 404);
  assertEquals([await searches(), await refreshes()], [0, 0]);
});

Deno.test("of several active connections one must be named", async () => {
  const { connect, search } = await scene({ reinstall_ends_old: false });
  const { id, user_id } = await connect();
  const second = await connect({ user_id });
  const { result } = await search(user_id);
  const body = await result.json();
  assertEquals([result.status, body.code], [409, "CONNECTION_AMBIGUOUS"]);
  assertEquals(body.connections.toSorted(), [id, second.id].sort());
  assertEquals((await search(user_id, `term=jane&connection_id=${id}`)).result.status, 200);
});

Deno.test("a connection that Pipedrive has ended asks for its user, now and at every later search", async () => {
  const { connect, search, control, refreshes } = await scene();
  const { id, user_id } = await connect({ expires_in_ms: 0 });
  await control.revoke({ user: 11 });
  for (const query of ["term=jane", "term=jane", `term=jane&connection_id=${id}`]) {
    const { result } = await search(user_id, query);
    const body = await result.json();
    assertEquals([result.status, body.code, body.connection_id], [409, "REAUTHORIZATION_REQUIRED", id]);
  }
  assertEquals(await refreshes(), 1);
  await connect({ user_id });
  assertEquals((await search(user_id)).result.status, 200);
});

Deno.test("any method but GET and POST is refused", async () => {
  const { ask, searches } = await scene();
  const headers = { authorization: `Bearer ${await userToken()}` };
  for (const method of ["PUT", "PATCH", "DELETE", "HEAD"]) {
    const { result, lines } = await ask(`${ADDRESS}?term=jane`, { method, headers });
    assertEquals([result.status, result.headers.get("allow")], [405, "GET, POST"]);
    assertEquals(lines[0]?.code, "METHOD_NOT_ALLOWED");
  }
  assertEquals(await searches(), 0);
});

Deno.test("there is nothing below the function's path", async () => {
  const { ask } = await scene();
  const headers = { authorization: `Bearer ${await userToken()}` };
  assertEquals((await ask(`${ADDRESS}/pipedrive?term=jane`, { headers })).result.status, 400);
});
