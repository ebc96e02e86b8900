import * as v from "valibot";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { connectionId, parse, readJson } from "../../../supabase/functions/_shared/http/input.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";

function post(body: BodyInit, type = "application/json"): Request {
  return new Request("http://localhost/f", { method: "POST", body, headers: { "content-type": type } });
}

Deno.test("readJson() reads an object, with or without a charset", async () => {
  assertEquals(await readJson(post('{"a":1}')), { a: 1 });
  assertEquals(await readJson(post('{"a":1}', "Application/JSON; charset=utf-8")), { a: 1 });
});

const refused: [string, Request, string][] = [
  ["malformed JSON", post('{"a":'), "the body is not valid JSON"],
  ["an array", post("[]"), "the body must be a JSON object"],
  ["null", post("null"), "the body must be a JSON object"],
  ["a text", post('"a"'), "the body must be a JSON object"],
  ["another content type", post("{}", "text/plain"), "the content type must be application/json"],
  ["bytes that are not UTF-8", post(new Uint8Array([0x22, 0xff, 0x22])), "the body is not UTF-8"],
  ["an empty body", post(""), "the body is empty"],
  ["no body", new Request("http://localhost/f", { method: "POST" }), "the body is empty"],
];

for (const [what, request, message] of refused) {
  Deno.test(`readJson() refuses ${what}`, async () => {
    const error = await assertRejects(() => readJson(request), PublicError, message);
    assertEquals(error.code, "INVALID_REQUEST");
  });
}

Deno.test("readJson() takes an empty body for what the caller of it says", async () => {
  assertEquals(await readJson(new Request("http://localhost/f", { method: "POST" }), { empty: {} }), {});
  assertEquals(await readJson(post(" "), { empty: {} }), {});
});

/** A body of which only the beginning ever comes; what ends the wait is noted. */
function halfSent() {
  const ended: unknown[] = [];
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"a')),
    pull: () => new Promise(() => {}),
    cancel: (reason) => void ended.push(reason),
  });
  return { body, ended };
}

Deno.test("readJson() gives a body five seconds in all, and then lets go of it", async () => {
  const { body, ended } = halfSent();
  const clock = new FakeClock();
  let code: string | undefined;
  const reading = readJson(post(body), { clock }).catch((error: PublicError) => {
    code = error.code;
    assertEquals(error.message, "the body did not arrive within 5 seconds");
  });
  await clock.advance(4_999);
  assertEquals([code, ended.length], [undefined, 0]);
  await clock.advance(1);
  await reading;
  assertEquals([code, ended.length], ["INVALID_REQUEST", 1]);
});

Deno.test("readJson() leaves no timer behind a body that came", async () => {
  const clock = new FakeClock();
  assertEquals(await readJson(post("{}"), { clock }), {});
  assertEquals(clock.sleeping, 0);
});

Deno.test("readJson() refuses a body that breaks off", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("canary")) });
  const error = await assertRejects(() => readJson(post(body)), PublicError, "the body broke off");
  assertEquals(error.code, "INVALID_REQUEST");
});

Deno.test("readJson() never quotes a malformed body", async () => {
  const error = await assertRejects(() => readJson(post('{"term":"canary-4711')), PublicError);
  assert(!error.message.includes("canary"));
});

const schema = v.strictObject({
  id: v.optional(connectionId),
  limit: v.pipe(v.number(), v.maxValue(500, "must be at most 500")),
  kind: v.optional(v.picklist(["a", "b"])),
});

const complaints: [string, unknown, string][] = [
  ["a missing field", {}, '"limit" is required'],
  ["a wrong type", { limit: "canary" }, '"limit" must be number'],
  ["a wrong value, in the schema's own words", { limit: 501 }, '"limit" must be at most 500'],
  ["a value that is no option", { limit: 1, kind: "canary" }, '"kind" must be ("a" | "b")'],
  ["an id that is no UUID", { limit: 1, id: "canary" }, '"id" must be a UUID'],
  ["an unknown field", { limit: 1, user_id: "canary" }, '"user_id" is not a known field'],
  ["what is not an object", "canary", "the body must be Object"],
];

for (const [what, input, message] of complaints) {
  Deno.test(`parse() names ${what} and never its value`, () => {
    const error = assertThrows(() => parse(schema, input), PublicError, message);
    assertEquals(error.code, "INVALID_REQUEST");
    assert(!error.message.includes("canary"), error.message);
  });
}

Deno.test("parse() shortens a field's name that somebody else chose, and keeps it out of the log", () => {
  const error = assertThrows(() => parse(schema, { limit: 1, ["k".repeat(999)]: 1 }), PublicError);
  assert(error.message.length < 100);
  assertEquals(error.details.reason, "an unknown field");
});

Deno.test("connectionId is written as the database writes it", () => {
  const id = "0B1F6D3A-7C53-8A4E-9D2B-3F5A6C7E8D90";
  assertEquals(parse(schema, { limit: 1, id }).id, id.toLowerCase());
});
