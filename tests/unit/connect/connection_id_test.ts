import { connectionId } from "../../../supabase/functions/_shared/connect/connection_id.ts";
import { assertEquals, assertMatch, assertNotEquals } from "../../support/assert.ts";

const MARI = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
const JONAS = "0b9ff0a2-8f5d-4d6a-9f0a-3f1b2c4d5e6f";

Deno.test("a connection's id depends on provider, account and user alone, and is a UUID of version 8", async () => {
  const id = await connectionId("pipedrive", "1:23", MARI);
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(await connectionId("pipedrive", "1:23", MARI), id);
  const others = [["pipedrive", "12:3", MARI], ["pipedrive1", ":23", MARI], ["pipedrive", "1:23", JONAS]];
  for (const [provider = "", key = "", user = ""] of others) {
    assertNotEquals(await connectionId(provider, key, user), id);
  }
});
