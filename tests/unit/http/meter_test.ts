import { Meter, serverTiming } from "../../../supabase/functions/_shared/http/meter.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";

/** A meter on a clock that a test sets. */
function meterAt() {
  const clock = { now: 0 };
  return { clock, meter: new Meter(() => clock.now) };
}

/** A call that a test ends when it likes. */
function call() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { promise, end: () => resolve("answer"), fail: () => reject(new TypeError("reset")) };
}

Deno.test("a meter passes on what the call answers, and counts it with its time", async () => {
  const { clock, meter } = meterAt();
  const { promise, end } = call();
  const measured = meter.measure(() => promise);
  clock.now = 30;
  end();
  assertEquals([await measured, meter.calls, meter.milliseconds], ["answer", 1, 30]);
});

Deno.test("a call that fails is counted, timed and still fails", async () => {
  const { clock, meter } = meterAt();
  const { promise, fail } = call();
  const measured = meter.measure(() => promise);
  clock.now = 20;
  fail();
  await assertRejects(() => measured, TypeError);
  assertEquals([meter.calls, meter.milliseconds], [1, 20]);
});

Deno.test("calls side by side take the time that passed, not its double; a pause takes none", async () => {
  const { clock, meter } = meterAt();
  const [one, other, last] = [call(), call(), call()];
  const first = meter.measure(() => one.promise);
  clock.now = 10;
  const second = meter.measure(() => other.promise);
  clock.now = 30;
  one.end();
  await first;
  clock.now = 40;
  other.end();
  await second;
  assertEquals([meter.calls, meter.milliseconds], [2, 40]);
  clock.now = 100;
  const third = meter.measure(() => last.promise);
  clock.now = 105;
  last.end();
  await third;
  assertEquals([meter.calls, meter.milliseconds], [3, 45]);
});

Deno.test("a call that outlives the request is measured up to now", () => {
  const { clock, meter } = meterAt();
  void meter.measure(() => call().promise);
  clock.now = 12;
  assertEquals([meter.calls, meter.milliseconds], [1, 12]);
});

Deno.test("serverTiming() names what was called, and the whole", async () => {
  const meters = { database: new Meter(), provider: new Meter() };
  assertEquals(serverTiming(meters, 7), "total;dur=7");
  const { meter, clock } = meterAt();
  const { promise, end } = call();
  const measured = meter.measure(() => promise);
  clock.now = 4;
  end();
  await measured;
  assertEquals(serverTiming({ ...meters, database: meter }, 7), "db;dur=4, total;dur=7");
  assertEquals(
    serverTiming({ database: meter, provider: meter }, 7),
    "db;dur=4, provider;dur=4, total;dur=7",
  );
});
