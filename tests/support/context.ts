/** Loading this opens the test file's database; what needs none is in `make.ts`. */
import { FakeClock } from "./clock.ts";
import {
  connect,
  type Connected,
  type ConnectedOptions,
  contextOn,
  type ContextOptions,
  type Made,
} from "./make.ts";
import { freshStore, type TestStore } from "./store.ts";

export type TestContext = Made & { readonly store: TestStore; readonly clock: FakeClock };

type Options = Omit<ContextOptions, "store" | "clock"> & Partial<Pick<TestContext, "store" | "clock">>;

/**
 * Context for a test on the real SQL, in the time of its clock: an empty database, unless `store` is that of another
 * context of the same test.
 */
export async function makeContext(options: Options = {}): Promise<TestContext> {
  const clock = options.clock ?? new FakeClock({ auto: true });
  const store = options.store ?? await freshStore(clock);
  return { ...await contextOn(store, { ...options, clock }), store, clock };
}

/**
 * Puts an active connection with sealed tokens into the context's store; of a new user, unless told whose. It has been
 * there for a minute: one that is young is not refreshed because it was refused.
 */
export async function connected(
  context: Pick<TestContext, "store" | "keyring" | "client">,
  options: ConnectedOptions = {},
): Promise<Connected> {
  const made = await connect(context, { ...options, user_id: await context.store.user(options.user_id) });
  await context.store.backdate(made.id, { refreshed_at: 60_000 });
  return made;
}
