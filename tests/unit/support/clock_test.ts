import { assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";

Deno.test("advance() wakes what is due, in order, and lets each run before time goes on", async () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const later = clock.sleep(10).then(() => log.push(`later at ${clock.now()}`));
  const sooner = clock.sleep(5).then(async () => {
    await crypto.subtle.digest("SHA-256", new Uint8Array(100_000));
    log.push(`sooner at ${clock.now()}`);
    await clock.sleep(3);
    log.push(`again at ${clock.now()}`);
  });
  await clock.advance(9);
  assertEquals([log, clock.sleeping], [["sooner at 5", "again at 8"], 1]);
  await clock.advance(1);
  assertEquals(log.at(-1), "later at 10");
  await Promise.all([later, sooner]);
});

Deno.test("auto lets time pass once nothing else can run, and not before", async () => {
  const clock = new FakeClock({ auto: true });
  const deadline = clock.sleep(60_000).then(() => "deadline");
  const work = (async () => {
    const bytes = new Uint8Array(16);
    for (let n = 0; n < 50; n += 1) await crypto.subtle.digest("SHA-256", bytes);
    return "work";
  })();
  assertEquals(await Promise.race([deadline, work]), "work");
  assertEquals([await deadline, clock.now()], ["deadline", 60_000]);
});

Deno.test("sleep() rejects with the reason of its signal and is forgotten", async () => {
  const clock = new FakeClock();
  const done = new AbortController();
  const slept = clock.sleep(1_000, done.signal);
  done.abort(new Error("enough"));
  await assertRejects(() => slept, Error, "enough");
  await assertRejects(() => clock.sleep(1, done.signal), Error, "enough");
  assertEquals(clock.sleeping, 0);
});
