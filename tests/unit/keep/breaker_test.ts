import { Breaker } from "../../../supabase/functions/_shared/keep/breaker.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("Breaker stays open to all until five failures in a row", () => {
  const breaker = new Breaker();
  for (let n = 0; n < 4; n++) breaker.failure(0);
  breaker.success();
  for (let n = 0; n < 4; n++) breaker.failure(0);
  assertEquals([breaker.wait(0), breaker.enter(0)], [0, true]);
  breaker.failure(0);
  assertEquals([breaker.wait(0), breaker.enter(0)], [15_000, false]);
});

Deno.test("Breaker lets one probe through after the pause, and everyone after its success", () => {
  const breaker = new Breaker();
  for (let n = 0; n < 5; n++) breaker.failure(0);
  assertEquals([breaker.enter(15_000), breaker.enter(15_000)], [true, false]);
  breaker.success();
  assertEquals([breaker.enter(15_000), breaker.enter(15_000)], [true, true]);
});
