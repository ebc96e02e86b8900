import { withDeadline, withPatience } from "../../supabase/functions/_shared/time.ts";
import { FakeClock } from "../support/clock.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

/** Work that ends only with its signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

Deno.test("withDeadline() gives what the work gives and leaves no timer behind", async () => {
  const clock = new FakeClock();
  assertEquals(await withDeadline(clock, 1_000, () => Promise.resolve("done")), "done");
  assertEquals(clock.sleeping, 0);
});

Deno.test("withDeadline() ends the work when its time is over", async () => {
  const clock = new FakeClock();
  const work = assertRejects(() => withDeadline(clock, 1_000, untilAborted), DOMException, "deadline");
  await clock.advance(1_000);
  await work;
});

Deno.test("withDeadline() gives a process that was paused one more second to read its answer", async () => {
  const clock = new FakeClock();
  let answer = (_: string) => {};
  const work = withDeadline(
    clock,
    1_000,
    (signal) => Promise.race([untilAborted(signal), new Promise<string>((resolve) => answer = resolve)]),
  );
  clock.pause(30_000);
  await clock.advance(0);
  answer("was in the socket");
  assertEquals(await work, "was in the socket");
});

Deno.test("withDeadline() listens a little longer for what was sent in time, and then no more", async () => {
  for (const [at, kept] of [[1_400, true], [1_500, false]] as const) {
    const clock = new FakeClock();
    const answer = (signal: AbortSignal) =>
      Promise.race([untilAborted(signal), clock.sleep(at + 1).then(() => "read")]);
    const work = withDeadline(clock, 1_000, answer, 500).catch(() => "given up");
    await clock.advance(1_600);
    assertEquals(await work, kept ? "read" : "given up");
  }
});

Deno.test("withPatience() stops waiting, and the work goes on", async () => {
  const clock = new FakeClock();
  let finished = false;
  const work = clock.sleep(5_000).then(() => finished = true);
  const waiting = withPatience<boolean | string>(clock, 1_000, work, () => "late");
  await clock.advance(1_000);
  assertEquals([await waiting, finished], ["late", false]);
  await clock.advance(4_000);
  assertEquals(finished, true);
});
