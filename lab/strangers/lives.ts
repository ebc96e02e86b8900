import { Undo } from "../../local/stack/undo.ts";
import { Life } from "./life.ts";
import { start as noRefreshToken } from "./no_refresh_token.ts";
import { start as oauth2Server } from "./oauth2_server.ts";
import { start as oidcProvider } from "./oidc_provider.ts";
import { type Promised, ROTATING, WITHOUT_REFRESH_TOKEN } from "./promises.ts";
import { startStage } from "./stage.ts";

/** A life that has not begun to be lived, and what it is promised. */
export interface Promises {
  readonly life: Life;
  readonly promises: readonly Promised[];
}

const STRANGERS = [
  { start: oidcProvider, promises: ROTATING },
  { start: oauth2Server, promises: ROTATING },
  { start: noRefreshToken, promises: WITHOUT_REFRESH_TOKEN },
];

/** Every stranger and one stack that knows them all, for as long as `work` takes. */
export async function withLives(work: (lives: readonly Promises[]) => Promise<void>): Promise<void> {
  const undo = new Undo();
  try {
    const starting = STRANGERS.map(async ({ start, promises }) => {
      const stranger = await start();
      undo.add(() => stranger.stop());
      return { stranger, promises };
    });
    // Not all() alone: what still starts when another has failed would never be stopped.
    await Promise.allSettled(starting);
    const strangers = await Promise.all(starting);
    const stage = await startStage(strangers.map(({ stranger }) => stranger));
    undo.add(() => stage.stop());
    await work(
      await Promise.all(strangers.map(async ({ stranger, promises }) => ({
        life: await Life.begin(stage, stranger),
        promises,
      }))),
    );
  } finally {
    await undo.run();
  }
}
