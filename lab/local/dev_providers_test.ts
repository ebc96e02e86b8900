/** `deno task dev` with settings of providers in its environment. */
import { join } from "node:path";
import { AppUser } from "../../local/stack/app_user.ts";
import type { StackAddresses } from "../../local/stack/stack.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { startDev, withFolder } from "./dev_support.ts";

/** What a user's authorize request is answered with. */
async function begin(user: AppUser, { functions_url }: StackAddresses, provider: string) {
  const { data: { session } } = await user.supabase.auth.getSession();
  const response = await fetch(`${functions_url}/oauth-callback/${provider}/authorize`, {
    method: "POST",
    headers: { authorization: `Bearer ${session?.access_token}`, "content-type": "application/json" },
    body: JSON.stringify({ values: provider === "zendesk" ? { subdomain: "acme" } : {} }),
  });
  const { code, authorization_url = "" } = await response.json();
  return { code, url: URL.canParse(authorization_url) ? new URL(authorization_url) : null };
}

Deno.test("dev passes any provider's settings on; one that is set by half stops nobody, and Pipedrive stays the sandbox", async () => {
  await withFolder(async (dir) => {
    const { child, printed } = await startDev(["--dir", dir, "--port", "0"], {
      PIPEDRIVE_OAUTH_ORIGIN: "",
      PIPEDRIVE_CLIENT_ID: "of-somewhere-else",
      ZENDESK_CLIENT_ID: "of-zendesk",
      ZENDESK_CLIENT_SECRET: "a-secret-of-zendesk",
      ZENDESK_OAUTH_ORIGIN: "http://127.0.0.1:1",
      SLACK_CLIENT_ID: "of-slack",
    });
    const stack = JSON.parse(await Deno.readTextFile(join(dir, "stack.json")));
    const { providers } = await (await fetch(`${stack.functions_url}/oauth-callback`)).json();
    assertEquals(providers.map(({ name }: { name: string }) => name), ["pipedrive", "zendesk"]);

    const user = await new AppUser(stack).signUp("ana");
    const zendesk = (await begin(user, stack, "zendesk")).url;
    assertEquals([zendesk?.origin, zendesk?.searchParams.get("client_id")], [
      "http://127.0.0.1:1",
      "of-zendesk",
    ]);
    const pipedrive = (await begin(user, stack, "pipedrive")).url;
    assertEquals([pipedrive?.origin, pipedrive?.searchParams.get("client_id")], [
      stack.provider_url,
      "local-stack",
    ]);
    assertEquals((await begin(user, stack, "slack")).code, "CONFIGURATION_INVALID");
    assertEquals((await begin(user, stack, "github")).code, "UNKNOWN_PROVIDER");

    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
    assert(!(await printed()).includes("a-secret-of-zendesk"));
  });
});
