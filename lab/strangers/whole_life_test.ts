/** Other people's authorization servers, each a file of data to us, from connecting to being revoked. */
import { withLives } from "./lives.ts";

Deno.test("at strangers' servers every promise holds, for fifty callers at once", async (t) => {
  await withLives(async (lives) => {
    // One after another: fifty callers in two processes are what a small machine can serve in time.
    for (const { life, promises } of lives) {
      await t.step(life.provider, async (own) => {
        for (const [name, keep] of promises) {
          await own.step({ name, sanitizeOps: false, sanitizeResources: false, fn: () => keep(life) });
        }
      });
    }
  });
});
