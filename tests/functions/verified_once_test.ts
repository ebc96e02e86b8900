/** A user's token is verified once a minute, and never beyond its end. */
import { callers } from "../../supabase/functions/_shared/http/caller.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { bearer, TRUSTED, userToken } from "./callers.ts";
import { USER } from "./edge_scene.ts";

/** Counts the signatures that are verified, with the clocks so many milliseconds ahead. */
async function counting(work: (counted: { times: number }, ahead: (ms: number) => void) => Promise<void>) {
  const [{ verify }, { now }] = [crypto.subtle, performance];
  const [date, counted] = [Date.now, { times: 0 }];
  crypto.subtle.verify = (...args: Parameters<typeof verify>) => {
    counted.times += 1;
    return verify.apply(crypto.subtle, args);
  };
  const ahead = (ms: number) => {
    performance.now = () => now.call(performance) + ms;
    Date.now = () => date() + ms;
  };
  try {
    await work(counted, ahead);
  } finally {
    ahead(0);
    Object.assign(crypto.subtle, { verify });
    Object.assign(performance, { now });
    Date.now = date;
  }
}

const asked = (token: string) => new Request("http://localhost/echo", { headers: bearer(token) });

Deno.test("a token that was verified is not verified again for a minute", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const token = await userToken({ sub: USER });
  await counting(async (counted, ahead) => {
    for (const [ms, times] of [[0, 1], [0, 1], [59_000, 1], [61_000, 2], [61_000, 2]] as const) {
      ahead(ms);
      assertEquals(await callerOf(asked(token)), { kind: "user", user_id: USER });
      assertEquals(counted.times, times, `${ms} ms later`);
    }
  });
});

Deno.test("a token that ends within the minute is verified again from its end on", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const token = await userToken({ sub: USER, exp: Math.floor(Date.now() / 1000) + 20 });
  await counting(async (counted, ahead) => {
    for (const [ms, times] of [[0, 1], [18_000, 1], [21_000, 2], [21_000, 3]] as const) {
      ahead(ms);
      await callerOf(asked(token));
      assertEquals(counted.times, times, `${ms} ms later`);
    }
  });
});

Deno.test("a token that is over is refused, and never remembered", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const token = await userToken({ sub: USER, exp: Math.floor(Date.now() / 1000) - 1 });
  for (const _ of [1, 2]) {
    const refusal = await callerOf(asked(token));
    assert(
      refusal instanceof Error && refusal.status === 401 && refusal.code === "INVALID_JWT",
      "it is over",
    );
  }
});

Deno.test("what was verified is the whole token: with another signature it is nobody's", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const token = await userToken({ sub: USER });
  assert(!(await callerOf(asked(token)) instanceof Error));
  const [header, claims, signature = ""] = token.split(".");
  const other = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  for (const forged of [`${header}.${claims}.${other}`, `${header}.${claims}.`, `${token} `.repeat(2)]) {
    assert(await callerOf(asked(forged)) instanceof Error, forged.slice(-20));
  }
});

Deno.test("a genuine token that is not a user's own is refused every time", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const token = await userToken({ aud: "canary" });
  for (const _ of [1, 2]) await assertRejects(() => callerOf(asked(token)), Error, '"aud"');
});

Deno.test("whoever was let in by a secret key is asked for it every time", async () => {
  const callerOf = callers(["user", "secret:*"], TRUSTED);
  const request = (apikey: string) => new Request("http://localhost/echo", { headers: { apikey } });
  assertEquals(await callerOf(request("sb_secret_default")), { kind: "secret", key_name: "default" });
  assert(await callerOf(request("sb_secret_other")) instanceof Error);
});
