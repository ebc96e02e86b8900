import { supabaseStore } from "../../../supabase/functions/_shared/keep/store.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { createClient } from "@supabase/supabase-js";
import { type Answer, fakeFetch, json } from "../../support/fake_fetch.ts";

/** The real client over a scripted network. */
function database(...answers: Answer[]) {
  const fetch = fakeFetch(...answers);
  const client = createClient("https://project.supabase.co", "sb_secret_x", {
    global: { fetch },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return { fetch, store: supabaseStore(client) };
}

Deno.test("supabaseStore() calls one SQL function a method, arguments named after the fields", async () => {
  const { fetch, store } = database(json([{ outcome: "committed", access_expires_at: null }]));
  const committed = await store.commitRefresh({
    id: "i",
    lease_id: "l",
    base_version: 7,
    access_token_sealed: "a",
    refresh_token_sealed: "r",
    key_id: "k",
    scope: "base contacts:read",
    expires_in_ms: 3_599_000,
    elapsed_ms: 12,
  });
  assertEquals(committed, { outcome: "committed", access_expires_at: null });
  const [request] = fetch.requests;
  assert(request);
  assertEquals(new URL(request.url).pathname, "/rest/v1/rpc/oauth_commit_refresh");
  assertEquals(JSON.parse(request.body), {
    p_id: "i",
    p_lease_id: "l",
    p_base_version: 7,
    p_access_token_sealed: "a",
    p_refresh_token_sealed: "r",
    p_key_id: "k",
    p_scope: "base contacts:read",
    p_expires_in_ms: 3_599_000,
    p_elapsed_ms: 12,
  });
});

Deno.test("supabaseStore() takes no row for an ordinary no", async () => {
  assertEquals(await database(json([])).store.peek({ id: "i", user_id: "u", seen_version: -1 }), []);
});

const retryable: [string, () => Response][] = [
  ["a lock that was not had in time", () => json({ code: "55P03", message: "" }, 400)],
  ["a serialization failure", () => json({ code: "40001", message: "" }, 400)],
  ["a server that shuts down", () => json({ code: "57P01", message: "" }, 400)],
  ["too many connections", () => json({ code: "53300", message: "" }, 400)],
  ["PostgREST without a database", () => json({ code: "PGRST002", message: "" }, 400)],
  ["a gateway's HTML", () => new Response("<html>", { status: 502 })],
  ["a database that is read-only", () => json({ code: "25006", message: "" }, 405)],
  ["a standby", () => json({ code: "0A000", message: "" }, 400)],
  ["a function that has just been replaced", () => json({ code: "42883", message: "" }, 404)],
  ["a schema that was not read yet", () => json({ code: "PGRST202", message: "" }, 404)],
  ["too many requests", () => json({ message: "" }, 429)],
  ["a request that timed out on its way", () => new Response("", { status: 408 })],
  ["an empty 404", () => new Response("", { status: 404 })],
  ["an error without a word", () => new Response("null", { status: 500 })],
  ["a page that refuses", () => new Response("<html>", { status: 403 })],
  ["a page that welcomes", () => new Response("<html>")],
  ["a success with nothing", () => new Response("")],
  ["a success with something else", () => json({ message: "hello" })],
];
for (const [name, answer] of retryable) {
  Deno.test(`supabaseStore() calls it STORAGE_UNAVAILABLE, retryable: ${name}`, async () => {
    const error = await assertRejects(
      () => database(...Array(4).fill(answer)).store.peek({ id: "i", user_id: null, seen_version: 0 }),
      PublicError,
    );
    assertEquals([error.code, error.retry_after], ["STORAGE_UNAVAILABLE", 1]);
  });
}

Deno.test("supabaseStore() says in the log alone what the database answered instead", async () => {
  const { store } = database(json({ code: "25006", message: "a secret" }, 405));
  const error = await assertRejects(() => store.purge({ limit: 1 }), PublicError);
  assertEquals([error.message, error.reason], [
    "the database does not answer: try again",
    "oauth_purge: 405 25006",
  ]);
});

Deno.test("supabaseStore() takes an empty answer for none also where a number or a yes is expected", async () => {
  for (const answer of [() => new Response("", { status: 404 }), () => new Response("null")]) {
    const error = await assertRejects(() => database(answer()).store.purge({ limit: 1 }), PublicError);
    assertEquals(error.code, "STORAGE_UNAVAILABLE");
  }
});

const refused: [string, Response, string, number][] = [
  ["a key that it does not know", json({ message: "Invalid API key" }, 401), "CONFIGURATION_INVALID", 500],
  ["a key without the right", json({ code: "42501", message: "" }, 403), "CONFIGURATION_INVALID", 500],
  ["a user who is gone", json({ code: "23503", message: "" }, 409), "INVALID_CREDENTIALS", 401],
];
for (const [name, answer, code, status] of refused) {
  Deno.test(`supabaseStore() calls it ${code}: ${name}`, async () => {
    const error = await assertRejects(() => database(answer).store.purge({ limit: 1 }), PublicError);
    assertEquals([error.code, error.status], [code, status]);
  });
}

Deno.test("supabaseStore() does not call our own mistake a storage failure, and repeats nothing of the arguments", async () => {
  const { store } = database(json({ code: "22023", message: "lease p_secret", details: "p_secret" }, 400));
  const error = await assertRejects(
    () => store.peek({ id: "i", user_id: null, seen_version: 0 }),
    Error,
    "oauth_peek with 22023",
  );
  assert(!(error instanceof PublicError) && !error.message.includes("p_secret"));
});
