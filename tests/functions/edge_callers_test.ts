/** Who is let in, and as whom the handler sees them. */
import type { AuthModes, Caller } from "../../supabase/functions/_shared/http/caller.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  bearer,
  foreignToken,
  PUBLISHABLE_KEY,
  SECRET_KEYS,
  TRUSTED,
  unsignedToken,
  userToken,
  WRONG_CLAIMS,
} from "./callers.ts";
import { ask, USER } from "./edge_scene.ts";

const handlerThatMustNotRun = () => Promise.reject(new Error("the handler ran"));

Deno.test("a user's token makes its user the caller, with or without the publishable key beside it", async () => {
  const headers = bearer(await userToken({ sub: USER.toUpperCase() }));
  for (const sent of [headers, { ...headers, apikey: PUBLISHABLE_KEY }]) {
    const { result, lines } = await ask({ headers: sent });
    assertEquals(await result.json(), { kind: "user", user_id: USER } satisfies Caller);
    assertEquals(lines[0]?.caller, USER);
  }
});

Deno.test("a secret key of the project makes a secret caller, known by the key's name", async () => {
  for (const key_name of ["default", "reports"] as const) {
    const apikey = SECRET_KEYS[key_name];
    const { result, lines, text } = await ask({ headers: { apikey } });
    assertEquals(await result.json(), { kind: "secret", key_name } satisfies Caller);
    assertEquals(lines[0]?.caller, key_name);
    assert(!text.includes(apikey));
  }
});

Deno.test("the secret key named cron is let into no function but the one that sweeps", async () => {
  const { result, lines, text } = await ask({ headers: { apikey: SECRET_KEYS.cron } }, handlerThatMustNotRun);
  const { code, message } = await result.json();
  assertEquals([result.status, code], [401, "INVALID_CREDENTIALS"]);
  assertEquals(message, 'the secret key "cron" may sweep and nothing else: send another one');
  assertEquals([lines[0]?.caller, lines[0]?.code], ["cron", "INVALID_CREDENTIALS"]);
  assert(!text.includes(SECRET_KEYS.cron));
});

Deno.test("a user who signed in without an account of theirs, or through a client that is allowed, is one too", async () => {
  const [client_id] = TRUSTED.oauth_client_ids;
  for (const claims of [{ is_anonymous: true }, { client_id }, { aud: ["x", "authenticated"] }]) {
    const { result } = await ask({ headers: bearer(await userToken({ sub: USER, ...claims })) });
    assertEquals(await result.json(), { kind: "user", user_id: USER } satisfies Caller);
  }
});

Deno.test("where nobody needs to say who they are, a visitor and HTTP Basic get in and a broken token does not", async () => {
  const open: AuthModes = ["user", "none"];
  const basic = { authorization: `Basic ${btoa("id:secret")}` };
  for (const headers of [{}, basic, { apikey: PUBLISHABLE_KEY }] as HeadersInit[]) {
    const { result } = await ask({ headers }, undefined, open);
    assertEquals(await result.json(), { kind: "none" } satisfies Caller);
  }
  assertEquals((await ask({ headers: bearer("e.y.J") }, undefined, open)).result.status, 401);
});

async function tampered(): Promise<string> {
  const [header, , signature] = (await userToken()).split(".");
  const [, claims] = (await userToken()).split(".");
  return [header, claims, signature].join(".");
}

type Impostor = [who: string, headers: HeadersInit, code: string];
const impostors: Impostor[] = [
  ["nobody", {}, "MISSING_CREDENTIALS"],
  ["a publishable key", { apikey: PUBLISHABLE_KEY }, "INVALID_API_KEY"],
  ["an unknown secret key", { apikey: "sb_secret_guess" }, "INVALID_API_KEY"],
  ["a legacy key", { apikey: "eyJhbGciOiJIUzI1NiJ9.e30.x" }, "INVALID_API_KEY"],
  ["a publishable key as a token", bearer(PUBLISHABLE_KEY), "UNUSABLE_CREDENTIAL"],
  ["a secret key as a token", bearer(SECRET_KEYS.cron), "UNUSABLE_CREDENTIAL"],
  ["HTTP Basic", { authorization: "Basic eDp5" }, "UNUSABLE_CREDENTIAL"],
  ["a token that nobody signed", bearer(unsignedToken()), "INVALID_JWT"],
  ["another project's token", bearer(await foreignToken()), "INVALID_JWT"],
  ["a token with an unknown key id", bearer(await foreignToken("other")), "INVALID_JWT"],
  ["an expired token", bearer(await userToken({ exp: 1 })), "INVALID_JWT"],
  ["a token with its claims exchanged", bearer(await tampered()), "INVALID_JWT"],
  ["a token that is none", bearer("canary"), "INVALID_JWT"],
  ["a broken token beside a good key", { ...bearer("x"), apikey: SECRET_KEYS.default }, "INVALID_JWT"],
  ...await Promise.all(
    Object.entries(WRONG_CLAIMS).map(async ([what, claims]): Promise<Impostor> => {
      return [what, bearer(await userToken(claims)), "INVALID_CREDENTIALS"];
    }),
  ),
];
for (const [who, headers, code] of impostors) {
  Deno.test(`${who} is answered 401 ${code} before the handler runs`, async () => {
    const { result, lines, text } = await ask({ headers }, handlerThatMustNotRun);
    assertEquals(result.status, 401);
    const body = await result.json();
    assertEquals([body.code, Object.keys(body)], [code, ["code", "message"]]);
    assertEquals([lines.length, lines[0]?.status, lines[0]?.code], [1, 401, code]);
    assert(!text.includes("canary") && !JSON.stringify(body).includes("canary"));
  });
}
