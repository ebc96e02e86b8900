import { authorizations } from "./store_contract/authorizations.ts";
import { connections } from "./store_contract/connections.ts";
import { endings } from "./store_contract/endings.ts";
import { leases } from "./store_contract/leases.ts";
import { type StoreUnderTest, Story } from "./store_contract/story.ts";

export type { MsAgo, StoreUnderTest } from "./store_contract/story.ts";

/** What every store promises, whether it is a fake or a database. */
export const storePromises = [...leases, ...endings, ...connections, ...authorizations];

/**
 * Registers one test per promise. Each makes users and a provider's name of its own, so that they can share a
 * database.
 */
export function testStoreContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  for (const { promise, keep } of storePromises) {
    Deno.test(`${name}: ${promise}`, async () => {
      const under_test = await makeStore();
      try {
        await keep(new Story(under_test));
      } finally {
        await under_test.close();
      }
    });
  }
}
