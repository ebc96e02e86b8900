/** `search-persons`: Pipedrive's answer, with an access token that works. */
import { assert, assertEquals } from "../support/assert.ts";
import { connected } from "../support/context.ts";
import { JONAS, MARI } from "../support/store.ts";
import { SCHEDULE, SECRET, type Stage, story } from "./stage.ts";
import { connect, OTHER_ACCOUNT } from "./steps.ts";

const PERSONS = "https://baltictimber.pipedrive.com/api/v2/persons/search";
const JANE = "?term=jane";

/** Searches, and refreshes, that Pipedrive has received. */
const counted = async ({ requests }: Stage) => [await requests("search"), await requests("token:refresh")];

story("a search answers with Pipedrive's body byte for byte and its rate-limit headers", async (stage) => {
  const id = await connect(stage);
  const { status, text, headers, line } = await stage.search(JANE);
  const request = stage.sent.at(-1) ?? new Request(PERSONS);
  assertEquals([status, request.url], [200, PERSONS + JANE]);
  const direct = await stage.context.fetch(request.url, { headers: request.headers });
  assertEquals(text, await direct.text());
  for (const name of ["content-type", "x-ratelimit-limit", "x-ratelimit-reset"]) {
    assert(direct.headers.has(name), name);
    assertEquals(headers.get(name), direct.headers.get(name));
  }
  const { request_id: _, milliseconds, database_milliseconds, provider_milliseconds, ...others } = line;
  for (const time of [milliseconds, database_milliseconds, provider_milliseconds]) {
    assertEquals(typeof time, "number");
  }
  assertEquals(others, {
    function: "search-persons",
    caller: MARI,
    connection_id: id,
    provider: "pipedrive",
    version: 1,
    outcome: "found",
    status: 200,
    provider_calls: 1,
    attempts: 1,
    database_calls: 1,
  });
});

story("a POST searches as a GET does", async (stage) => {
  const connection_id = await connect(stage);
  const search = { term: "a+b@example.com", fields: "email", exact_match: true, limit: 1 };
  const posted = await stage.search("", { user: MARI, body: { ...search, connection_id } });
  const got = await stage.search("?term=a%2Bb@example.com&fields=email&exact_match=true&limit=1");
  assertEquals([posted.status, got.status, posted.text], [200, 200, got.text]);
});

const terms = [
  "a+b@example.com",
  "Smith & Sons, 100% Ltd",
  "D=J\" O'Neil",
  "李小龍",
  "Õunapuu",
  "dj#1@example.com",
];
story("whatever the characters of a term, they arrive and are found", async (stage) => {
  await connect(stage);
  for (const term of terms) {
    const { body } = await stage.search(`?${new URLSearchParams({ term })}`);
    assertEquals((body.data as { items: unknown[] }).items.length, 1, term);
    assertEquals((await stage.provider.journal()).at(-1)?.query, { term });
  }
});

story("a cursor leads to the next page", async (stage) => {
  await connect(stage);
  const ids = new Set<number>();
  let cursor = "";
  for (let page = 0; page < 2; page += 1) {
    const { text } = await stage.search(`?term=example&limit=2${cursor}`);
    const { data, additional_data } = JSON.parse(text);
    for (const { item } of data.items) ids.add(item.id);
    cursor = `&cursor=${additional_data.next_cursor}`;
  }
  assertEquals(ids.size, 4);
});

story("an expired access token is refreshed before the search, unnoticed", async (stage) => {
  await connect(stage);
  // As Pipedrive documents, the refresh token comes back; as it may, a new one does.
  for (const [before, rotate_refresh] of [false, true, true].entries()) {
    await stage.provider.configure({ rotate_refresh });
    stage.clock.pause(3_600_000);
    assertEquals((await stage.search(JANE)).status, 200);
    assertEquals(await counted(stage), [before + 1, before + 1]);
  }
});

story("a client that is given more scopes costs one refresh, and no caller notices", async (stage) => {
  await connect(stage);
  await stage.provider.configure({ scopes: ["base", "contacts:read", "deals:read"] });
  assertEquals([(await stage.search(JANE)).status, await counted(stage)], [200, [2, 1]]);
});

story("in its last minutes a token is replaced beside the search, and never refused", async (stage) => {
  await connect(stage);
  stage.clock.pause(3_400_000);
  for (const version of [1, 2]) {
    assertEquals((await stage.search(JANE)).line.version, version);
    await stage.context.background();
  }
  assertEquals(await counted(stage), [2, 1]);
});

story("a token that dies early costs one refresh and one replay, however it is refused", async (stage) => {
  await connect(stage);
  for (const [before, expired_body] of (["gateway", "invalid_token", "gateway"] as const).entries()) {
    await stage.provider.configure({ expired_body });
    await stage.provider.expire_access_tokens();
    const { status, line } = await stage.search(JANE);
    assertEquals([status, line.attempts, await counted(stage)], [200, 2, [2 * before + 2, before + 1]]);
    stage.clock.pause(10_001);
  }
});

story("fifty searches on an expired token are fifty answers and one refresh", async (stage) => {
  await stage.provider.configure({ search_burst: null });
  await connect(stage);
  stage.clock.pause(3_600_000);
  const all = await Promise.all(Array.from({ length: 50 }, () => stage.search(JANE)));
  assertEquals(all.map(({ status }) => status), Array(50).fill(200));
  assertEquals(await counted(stage), [50, 1]);
});

story("a secret key searches with the connection that it names, and must name one", async (stage) => {
  const id = await connect(stage);
  assertEquals((await stage.search(`${JANE}&connection_id=${id}`, { headers: SECRET })).status, 200);
  const schedule = await stage.search(`${JANE}&connection_id=${id}`, { headers: SCHEDULE });
  assertEquals(schedule.refusal, [401, "INVALID_CREDENTIALS"]);
  const { refusal, body } = await stage.search(JANE, { headers: SECRET });
  assertEquals([refusal, await counted(stage)], [[400, "INVALID_REQUEST"], [1, 0]]);
  assert(String(body.message).includes('"connection_id"'));
});

story("what is not there, is someone else's or another provider's is the same 404", async (stage) => {
  const id = await connect(stage);
  const other = await connected(stage.elsewhere, { user_id: JONAS, expires_in_ms: 0 });
  const asks = [id, id.toUpperCase(), crypto.randomUUID(), other.id].map((named) =>
    stage.search(`${JANE}&connection_id=${named}`, { user: JONAS })
  );
  const answers = await Promise.all([
    ...asks,
    stage.search(`${JANE}&connection_id=${other.id}`, { headers: SECRET }),
  ]);
  for (const { refusal } of answers) assertEquals(refusal, [404, "CONNECTION_NOT_FOUND"]);
  assertEquals(new Set(answers.map(({ body }) => body.message)).size, 1);
  assertEquals((await stage.search(JANE, { user: JONAS })).refusal, [404, "CONNECTION_NOT_FOUND"]);
  assertEquals(await counted(stage), [0, 0]);
});

story("of several active connections one must be named", async (stage) => {
  const ids = [await connect(stage), await connect(stage, MARI, OTHER_ACCOUNT)];
  const { refusal, body } = await stage.search(JANE);
  assertEquals(refusal, [409, "CONNECTION_AMBIGUOUS"]);
  assertEquals((body.connections as string[]).toSorted(), ids.toSorted());
  for (const id of ids) assertEquals((await stage.search(`${JANE}&connection_id=${id}`)).status, 200);
});

story("with one of two connections ended, nobody is answered from the other unasked", async (stage) => {
  const ids = [await connect(stage), await connect(stage, MARI, OTHER_ACCOUNT)];
  stage.clock.pause(3_600_000);
  await stage.provider.revoke({ user: 11 });
  assertEquals((await stage.search(`${JANE}&connection_id=${ids[0]}`)).refusal, [
    409,
    "REAUTHORIZATION_REQUIRED",
  ]);
  const { refusal, body } = await stage.search(JANE);
  assertEquals([refusal, body.connections], [[409, "CONNECTION_AMBIGUOUS"], ids]);
  assertEquals((await stage.search(`${JANE}&connection_id=${ids[1]}`)).status, 200);
});

story("a connection that Pipedrive has ended asks for its user until she connects again", async (stage) => {
  const id = await connect(stage);
  stage.clock.pause(3_600_000);
  await stage.provider.revoke({ user: 11 });
  for (const query of [JANE, JANE, `${JANE}&connection_id=${id}`]) {
    const { refusal, body } = await stage.search(query);
    assertEquals([...refusal, body.connection_id], [409, "REAUTHORIZATION_REQUIRED", id]);
  }
  assertEquals(await counted(stage), [0, 1]);
  await connect(stage);
  assertEquals((await stage.search(JANE)).status, 200);
});

story("a search is a GET or a POST, at the function's own path", async (stage) => {
  for (const method of ["PUT", "PATCH", "DELETE", "HEAD"]) {
    const { status, headers, line } = await stage.search(JANE, { method, user: MARI });
    assertEquals([status, headers.get("allow"), line.code], [405, "GET, POST", "METHOD_NOT_ALLOWED"]);
  }
  assertEquals((await stage.search(`/pipedrive${JANE}`)).refusal, [400, "INVALID_REQUEST"]);
  assertEquals(stage.store.calls, []);
});
