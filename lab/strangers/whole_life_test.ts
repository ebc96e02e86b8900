/** Other people's authorization servers, each a file of data to us, from connecting to being revoked. */
import { withLives } from "./lives.ts";

/** They live side by side, since much of a life is waiting. */
const SIDE_BY_SIDE = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test("at strangers' servers every promise holds, for fifty callers at once", async (t) => {
  await withLives(async (lives) => {
    await Promise.all(lives.map(({ life, promises }) =>
      t.step({
        ...SIDE_BY_SIDE,
        name: life.provider,
        fn: async (own) => {
          for (const [name, keep] of promises) {
            await own.step({ ...SIDE_BY_SIDE, name, fn: () => keep(life) });
          }
        },
      })
    ));
  });
});
