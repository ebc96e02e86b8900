import { Breaker } from "../../../supabase/functions/_shared/keep/breaker.ts";
import {
  OAuthError,
  ProviderUnreachable,
  UnexpectedResponse,
} from "../../../supabase/functions/_shared/oauth/errors.ts";
import { assertEquals } from "../../support/assert.ts";

const TIMEOUT = new ProviderUnreachable("timeout", true);

/** One that `count` connections have met an outage at. */
function met(count: number, error: unknown = TIMEOUT): Breaker {
  const breaker = new Breaker();
  for (let n = 1; n <= count; n += 1) breaker.failure(0, `c${n}`, error);
  return breaker;
}

Deno.test("Breaker shuts nobody out until five different connections met an outage with no success between", () => {
  const breaker = met(4);
  breaker.success("other");
  for (const id of ["d1", "d2", "d3", "d4"]) breaker.failure(0, id, TIMEOUT);
  assertEquals([breaker.wait(0), breaker.enter(0, "d1")], [0, true]);
  breaker.failure(0, "d5", TIMEOUT);
  assertEquals([breaker.wait(0), breaker.wait(0, "d1"), breaker.enter(0, "d1")], [15_000, 15_000, false]);
});

Deno.test("Breaker counts each connection once until it succeeds", () => {
  const breaker = met(4);
  for (let n = 0; n < 9; n += 1) breaker.failure(0, "c1", TIMEOUT);
  assertEquals(breaker.wait(0), 0);
  breaker.success("other");
  for (let n = 1; n <= 4; n += 1) breaker.failure(0, `c${n}`, TIMEOUT);
  breaker.failure(0, "c5", TIMEOUT);
  assertEquals(breaker.wait(0), 0, "four of the five were counted already");
  for (let n = 1; n <= 4; n += 1) breaker.success(`c${n}`);
  for (let n = 1; n <= 5; n += 1) breaker.failure(0, `c${n}`, TIMEOUT);
  assertEquals(breaker.wait(0), 0, "the fifth has not succeeded since");
  breaker.failure(0, "c6", TIMEOUT);
  assertEquals(breaker.wait(0), 15_000);
});

Deno.test("Breaker, while open, lets the first try of a connection through, which is the probe", () => {
  const breaker = met(5);
  assertEquals([breaker.wait(1, "mine"), breaker.enter(1, "mine")], [0, true]);
  assertEquals(breaker.wait(1), 14_999, "a sweep probes nothing before its time");
  breaker.failure(1, "mine", TIMEOUT);
  assertEquals(breaker.wait(1, "mine"), 15_000, "a second try waits");
  breaker.success("yours");
  assertEquals([breaker.wait(1), breaker.wait(1, "mine")], [0, 0]);
});

Deno.test("Breaker lets one probe through after the pause, and everyone after its success", () => {
  const breaker = met(5);
  assertEquals([breaker.enter(15_000, "c1"), breaker.enter(15_000, "c2")], [true, false]);
  breaker.success("c1");
  assertEquals([breaker.enter(15_000, "c1"), breaker.enter(15_000, "c2")], [true, true]);
});

Deno.test("Breaker counts what is an outage, and no answer about one grant", () => {
  const unreachable = (reason: string, status?: number) => new ProviderUnreachable(reason, true, status);
  const outages = [
    unreachable("not_reached"),
    unreachable("timeout"),
    unreachable("connection_lost", 200),
    unreachable("status_408", 408),
    unreachable("status_500", 500),
    unreachable("unavailable", 503),
  ];
  assertEquals(outages.map((error) => met(5, error).wait(0)), outages.map(() => 15_000));
  const answers = [
    new OAuthError("invalid_grant", 400),
    new OAuthError("unauthorized_client", 400),
    new UnexpectedResponse("status_400", 400),
    new UnexpectedResponse("not_json", 200),
    unreachable("blocked", 403),
    unreachable("unavailable", 425),
    new Error("unforeseen"),
  ];
  assertEquals(answers.map((error) => met(20, error).wait(0)), answers.map(() => 0));
});

Deno.test("Breaker opens at once on a 429, for as long as it says, and on invalid_client", () => {
  const limited = (ms?: number) => new ProviderUnreachable("rate_limited", false, 429, ms);
  const waits = [limited(40_000), limited(2_000), limited(), new OAuthError("invalid_client", 401)]
    .map((error) => met(1, error))
    .map((breaker) => [breaker.wait(0), breaker.wait(0, "c1"), breaker.wait(0, "another")]);
  assertEquals(waits, [40_000, 2_000, 15_000, 15_000].map((ms) => [ms, ms, 0]));
  const breaker = met(1, limited(40_000));
  breaker.failure(0, "c2", TIMEOUT);
  assertEquals(breaker.wait(0), 40_000, "an outage does not shorten it");
});

Deno.test("Breaker remembers a thousand connections", () => {
  const breaker = met(1_001);
  breaker.success("other");
  for (const id of ["c1", "c2", "c3", "c4"]) breaker.failure(0, id, TIMEOUT);
  assertEquals(breaker.wait(0), 0);
  breaker.failure(0, "c900", TIMEOUT);
  assertEquals(breaker.wait(0), 0, "one that it remembers");
  breaker.failure(0, "c5", TIMEOUT);
  assertEquals(breaker.wait(0), 15_000, "those that it forgot are counted again");
});
