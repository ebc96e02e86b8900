import { FakeClock } from "../../support/clock.ts";
import { FakeStore } from "../../support/fake_store.ts";
import { testStoreContract } from "../../support/store_contract.ts";

testStoreContract("FakeStore", () => {
  const store = new FakeStore(new FakeClock());
  return Promise.resolve({
    store,
    user: () => Promise.resolve(crypto.randomUUID()),
    backdate: (id, ms_ago) => store.backdate(id, ms_ago),
    close: () => {},
  });
});
