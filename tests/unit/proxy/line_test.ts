import { compile, type Policy } from "../../../supabase/functions/proxy/policy.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { ACME, judged } from "./scene.ts";

/** What is wrong with a line, and what of the message says so. */
const MISTAKES: Readonly<Record<string, readonly [unknown, string]>> = {
  "no text": [7, "is no text"],
  "nothing": ["", "is empty"],
  "a control character": ["GET /deals\t", "has a control character"],
  "a line break": ["GET /deals\nGET /admin", "has a control character"],
  "a letter that is not ASCII": ["GET /d\u00e9als", "has a character that is not ASCII"],
  "a star that only looks like one": ["GET /deals/\uff0a", "has a character that is not ASCII"],
  "a blank at its end": ["GET /deals ", "has a blank too many"],
  "a blank at its beginning": [" GET /deals", "has a blank too many"],
  "two blanks": ["GET  /deals", "has a blank too many"],
  "no method": ["/deals", "begins with no method: it may be one of GET, HEAD, POST"],
  "a method in small letters": ["get /deals", "begins with no method"],
  "an unknown method": ["OPTIONS /deals", "begins with no method"],
  "a star for a method": ["* /deals", "begins with no method"],
  "no path": ["GET", "has a method and no path"],
  "a path without a slash": ["GET deals", "has a path that does not begin with a slash"],
  "a base without a slash after it": ["GET files:v1", "has a path that does not begin with a slash"],
  "more after the path": ["GET /deals /notes", "has more than a method and a path"],
  "a mark that is none": ["GET /deals change", 'after them it may say "changes"'],
  "more after the mark": ["GET /deals changes always", "has more than a method and a path"],
  "a mark on what changes anyway": ["POST /deals changes", 'says "changes", which is for a GET'],
  "a mark on HEAD": ["HEAD /deals changes", 'says "changes", which is for a GET'],
  "an address": ["GET https://api.acme.example/deals", "has an address"],
  "an unknown base": ["GET uploads:/v1", 'names the base "uploads", which is none: it may be files'],
  "an empty base": ["GET :/v1", 'names the base "", which is none'],
  "a base of every object": ["GET constructor:/v1", 'names the base "constructor", which is none'],
  "a percent sign": ["GET /deals/%20", "has a percent sign"],
  "a query": ["GET /deals?limit=1", "has a query"],
  "a fragment": ["GET /deals#1", "has a fragment"],
  "a semicolon": ["GET /deals;v=1", "has a semicolon"],
  "a backslash": ["GET /deals\\7", "has a backslash"],
  "a placeholder in braces": ["GET /deals/{id}", "has a placeholder: a segment that may be anything is *"],
  "a placeholder with a colon": ["GET /deals/:id", "has a placeholder"],
  "a character that no path holds": ['GET /deals/"7"', "has a character that no path holds as it is"],
  "an empty segment": ["GET /deals//7", "has an empty segment"],
  "a host in the path": ["GET //evil.example/deals", "has an empty segment"],
  "a dot": ["GET /deals/./7", "has a segment of dots"],
  "two dots": ["GET /deals/..", "has a segment of dots"],
  "a star after text": ["GET /deals*", "has a star beside something else"],
  "a star before text": ["GET /*.json", "has a star beside something else"],
  "three stars": ["GET /deals/***", "has a star beside something else"],
  "two stars after text": ["GET /deals/a**", "has a star beside something else"],
  "two stars before the end": ["GET /**/products", "has ** before its end"],
  "two stars and a slash": ["GET /deals/**/", "has ** before its end"],
};

for (const [what, [line, message]] of Object.entries(MISTAKES)) {
  Deno.test(`compile() refuses a line with ${what}, and says where`, () => {
    for (const caller of ["users", "secret_keys"] as const) {
      const wrong = { users: {}, secret_keys: {}, [caller]: { acme: ["GET /persons", line] } };
      const error = assertThrows(() => compile(wrong as Policy, ACME), TypeError);
      assert(error.message.includes(`${caller}.acme: ${JSON.stringify(line)} `), error.message);
      assert(error.message.includes(message), error.message);
      assert(!error.message.includes("/persons"), error.message);
    }
  });
}

/** What is wrong with the whole, and the message's beginning. */
const UNFIT: Readonly<Record<string, readonly [unknown, string]>> = {
  "an unknown provider": [
    { users: { acne: [] }, secret_keys: {} },
    "users.acne: there is no such provider",
  ],
  "a provider of every object": [
    { users: {}, secret_keys: { constructor: [] } },
    "secret_keys.constructor: there is no such provider",
  ],
  "a text for a list": [
    { users: { acme: "GET /deals" }, secret_keys: {} },
    "users.acme must be a list of lines",
  ],
  "a line that is there twice": [
    { users: { acme: ["GET /deals", "GET /deals"] }, secret_keys: {} },
    'users.acme: "GET /deals" is there more than once',
  ],
  "a line that is there with a mark and without": [
    { users: { acme: ["GET /deals changes", "GET /deals"] }, secret_keys: {} },
    'users.acme: "GET /deals" is there more than once',
  ],
  "a caller that is none": [
    { users: {}, secret_keys: {}, anybody: {} },
    'it must have "users" and "secret_keys", and nothing else',
  ],
  "a caller that is missing": [
    { users: {} },
    'it must have "users" and "secret_keys", and nothing else',
  ],
};

for (const [what, [policy, message]] of Object.entries(UNFIT)) {
  Deno.test(`compile() refuses ${what}, and says where`, () => {
    const error = assertThrows(() => compile(policy as Policy, ACME), TypeError);
    assert(error.message.startsWith(`proxy/allowed.ts: ${message}`), error.message);
  });
}

Deno.test("compile() says all that is wrong at once, of a definition's own lines too", () => {
  const api = { bases: {}, changing_gets: ["jobs/*/run"] };
  const wrong = { users: { acme: ["get /a", "GET b"] }, secret_keys: { acme: ["GET /c;"] } };
  const { message } = assertThrows(() => compile(wrong, new Map([["acme", { api }]])), TypeError);
  const said = message.split("; ").map((problem) => problem.split('"')[1]);
  assertEquals(said, ["get /a", "GET b", "api.changing_gets", "GET /c;"], message);
});

Deno.test("compile() takes the same line for users and for secret keys", () => {
  const both = compile({ users: { acme: ["GET /a"] }, secret_keys: { acme: ["GET /a"] } }, ACME);
  for (const caller of ["user", "secret"] as const) assert(judged({ caller, path: "/a" }, both).allowed);
});
