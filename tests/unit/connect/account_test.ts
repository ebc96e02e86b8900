import { learnAccount } from "../../../supabase/functions/_shared/connect/account.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { fakeFetch, json } from "../../support/fake_fetch.ts";
import { makeClient } from "../../support/make.ts";

const TOKEN = { access_token: "a", values: { api_domain: "https://acme.pipedrive.com" } };

/** Of an answer that has this much beside the account. */
async function learn(bytes: number) {
  const answer = { success: true, data: { company_id: 7, id: 11, filler: "x".repeat(bytes) } };
  const fetch = fakeFetch(() => json(answer));
  const asking = { client: makeClient(), clock: new FakeClock({ auto: true }), fetch, random: () => 0.5 };
  return (await learnAccount(asking, TOKEN, {})).account;
}

Deno.test("learnAccount() takes an answer of up to 64 KiB, and no larger one", async () => {
  assertEquals((await learn(60_000)).key, "7:11");
  const error = await assertRejects(() => learn(66_000), PublicError);
  assertEquals([error.code, error.message.includes("64 KiB")], ["PROVIDER_RESPONSE_INVALID", true]);
});
