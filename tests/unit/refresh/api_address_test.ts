/** Which address a connection has after a refresh that names one. */
import { getAccessToken } from "../../../supabase/functions/_shared/use/access_token.ts";
import { assertEquals } from "../../support/assert.ts";
import { connected, makeContext } from "../../support/context.ts";
import { StrictProvider } from "../../support/token_endpoint.ts";

const BEFORE = "https://acme.pipedrive.com";

/** What the one who refreshes is given, and what is stored. */
async function afterRefresh(api_domain: unknown): Promise<string[]> {
  const { fetch } = new StrictProvider("refresh-0", { api_domain });
  const context = await makeContext({ fetch });
  const { id, user_id } = await connected(context, {
    refresh_token: "refresh-0",
    api_origin: BEFORE,
    expires_in_ms: 0,
  });
  const refreshed = await getAccessToken(context, { connection_id: id, user_id });
  const stored = await getAccessToken(context, { connection_id: id, user_id });
  assertEquals([refreshed.access_token, stored.access_token], ["access-1", "access-1"]);
  return [refreshed.values.api_domain ?? "", stored.values.api_domain ?? ""];
}

for (
  const api_domain of [
    "https://evil.example",
    "http://acme.pipedrive.com",
    "https://a.b.pipedrive.com",
    "https://acme.pipedrive.com:8443",
    "globex.pipedrive.com",
    "https://globex.pipedrive.com/api",
    "https://pipedrive.com",
    " ",
    "",
    7,
    null,
  ]
) {
  Deno.test(`a refresh that names ${JSON.stringify(api_domain)} leaves the connection's address as it is`, async () => {
    assertEquals(await afterRefresh(api_domain), [BEFORE, BEFORE]);
  });
}

for (const api_domain of ["https://globex.pipedrive.com", " HTTPS://Globex.pipedrive.com/"]) {
  Deno.test(`a refresh that names ${JSON.stringify(api_domain)} moves the connection there`, async () => {
    const after = "https://globex.pipedrive.com";
    assertEquals(await afterRefresh(api_domain), [after, after]);
  });
}
