/** Two providers on one page, in a real browser: which is asked for what, and whose connection is whose. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { mature } from "../../tests/support/own_stack.ts";
import { ServedStandIn } from "./served_stand_in.ts";
import { Visit, withBrowser } from "./visit.ts";

const OFFER = "**/functions/v1/oauth-callback";
const headers = { "access-control-allow-origin": "*" };

Deno.test("the page offers every provider, asks for its values, and says whose connection it is", async (t) => {
  const zendesk = new ServedStandIn("zendesk");
  try {
    await withBrowser(t, { env: zendesk.env }, async (stack, browser, step) => {
      const { stand_in } = zendesk;
      zendesk.redirect_uri = `${stack.functions_url}/oauth-callback/zendesk`;
      const visit = await Visit.begin(browser, stack);
      const page = await visit.signUp("ana");
      const card = (words: string) => page.locator("#cards article").filter({ hasText: words });
      const dialog = page.getByRole("dialog");
      const field = dialog.getByLabel("Zendesk subdomain");
      const asked = () => stand_in.journal.map(({ endpoint }) => endpoint);

      await step("each provider has its button", async () => {
        await page.getByRole("heading", { name: "No account is connected" }).waitFor();
        assertEquals(await page.locator("#offer button").allInnerTexts(), [
          "Connect Pipedrive",
          "Connect Zendesk",
        ]);
        await visit.everyWidth(page, "nothing connected");
      });

      await step(
        "what a provider has to know is asked for, and a wrong value is told at its field",
        async () => {
          await page.getByRole("button", { name: "Connect Zendesk" }).click();
          await dialog.getByRole("heading", { name: "Connect Zendesk" }).waitFor();
          assertEquals(
            await page.evaluate("document.activeElement.labels[0].textContent"),
            "Zendesk subdomain",
          );
          await field.fill("Acme Inc.");
          await field.press("Enter");
          await dialog.getByRole("alert").getByText("“Acme Inc.” cannot be the Zendesk subdomain").waitFor();
          assertEquals(await field.getAttribute("aria-invalid"), "true");
          assertEquals(await page.evaluate("document.activeElement.value"), "Acme Inc.");
          assertEquals(asked(), []);
          await visit.everyWidth(page, "a wrong value");
          await field.fill("  ");
          await field.press("Enter");
          await dialog.getByRole("alert").getByText("Zendesk needs it: Zendesk subdomain.").waitFor();
        },
      );

      await step("left without an answer, nothing has begun", async () => {
        await dialog.getByRole("button", { name: "Cancel" }).click();
        await dialog.waitFor({ state: "hidden" });
        assertEquals(await page.evaluate("document.activeElement.textContent"), "Connect Zendesk");
        assertEquals((await stack.sql`select 1 from oauth.authorization_requests`).length, 0);
      });

      await step("connected, the card says whose it is, and the page how its API is called", async () => {
        await page.getByRole("button", { name: "Connect Zendesk" }).click();
        await field.fill("acme");
        await dialog.getByRole("button", { name: "Continue to Zendesk" }).click();
        await page.getByText("acme is connected.").waitFor();
        await card("jane@acme.example").getByText("Zendesk", { exact: true }).waitFor();
        await card("acme").getByText("Active").waitFor();
        await page.getByText("Connect Pipedrive first").waitFor();
        assertEquals(asked(), ["authorize", "token", "account"]);
        await page.getByRole("heading", { name: "Call Zendesk" }).waitFor();
        assertEquals(await page.getByRole("searchbox").isVisible(), false);
        const link = await page.getByRole("link", { name: "How to call an API" }).getAttribute("href");
        const guide = await fetch(new URL(link ?? "", stack.app_url));
        assert((await guide.text()).startsWith("# Call the API"));
        await visit.everyWidth(page, "only Zendesk");
      });

      await step("before a known end its owner is told, and may connect again at once", async () => {
        const ends = (interval: string | null) =>
          stack.sql`update oauth.connections set authorization_expires_at = now() + ${interval}::interval`;
        const told = card("acme").getByText("ends in 9 days: connect again before");
        const again = card("acme").getByRole("button", { name: "Connect again" });
        assertEquals([await told.isVisible(), await again.isVisible()], [false, false]);
        await ends("8 days 12 hours");
        await told.waitFor();
        await again.waitFor();
        await ends(null);
        await told.waitFor({ state: "hidden" });
      });

      await step("beside it another provider’s, which alone is searched", async () => {
        await page.getByRole("button", { name: "Connect another account" }).click();
        await dialog.getByLabel("Provider").selectOption({ label: "Zendesk" });
        await field.waitFor();
        await visit.examine(page, "a choice of providers");
        await dialog.getByLabel("Provider").selectOption({ label: "Pipedrive" });
        assertEquals(await field.count(), 0);
        await dialog.getByRole("button", { name: "Continue to Pipedrive" }).click();
        await page.getByRole("button", { name: "Allow and install" }).click();
        await page.getByText("Baltic Timber is connected.").waitFor();
        await card("Baltic Timber").getByText("Pipedrive", { exact: true }).waitFor();
        assertEquals(await page.getByLabel("Search in").isVisible(), false);
        await page.getByRole("searchbox").fill("jane");
        await page.locator("#persons .name").getByText("Jane Doe").waitFor();
        assertEquals(await page.getByRole("heading", { name: "Call Zendesk" }).isVisible(), false);
        await visit.everyWidth(page, "two providers");
      });

      await step("a token without a known end is not called expired", async () => {
        await stack.sql`update oauth.connections set access_expires_at = null, refresh_after = null
          where provider = 'zendesk'`;
        await card("acme").getByText("until Zendesk ends it").waitFor();
        assertEquals(await card("acme").locator(".figure").innerText(), "No known end");
      });

      await step("what its provider has ended is connected again there, and keeps its history", async () => {
        await mature(stack);
        stand_in.endGrant();
        await card("Zendesk").getByRole("button", { name: "Refresh now" }).click();
        await page.locator("#toast").getByText("Zendesk has ended this connection").waitFor();
        await card("Zendesk ended it").getByRole("button", { name: "Connect again" }).click();
        await field.fill("acme");
        await visit.examine(page, "connected again");
        await field.press("Enter");
        await page.getByText("acme is connected.").waitFor();
        await card("Zendesk").getByText("Active").waitFor();
        const kept = await stack.sql`select provider from oauth.connections order by provider`;
        assertEquals(kept.map(({ provider }) => provider), ["pipedrive", "zendesk"]);
      });

      await step("of a provider that is not offered any more it can still be disconnected", async () => {
        const json = { providers: [{ name: "pipedrive", values: [] }] };
        await page.route(OFFER, (route) => route.fulfill({ json, headers }));
        await page.reload();
        await card("Zendesk · not offered any more").getByText("Active").waitFor();
        const buttons = card("Zendesk").getByRole("button");
        assertEquals(await buttons.allInnerTexts(), ["Disconnect…"]);
        await visit.examine(page, "not offered any more");
        await buttons.click();
        await dialog.getByText("revoked at Zendesk where that can be done").waitFor();
        await dialog.getByRole("button", { name: "Disconnect" }).click();
        await page.getByText("acme is disconnected: the tokens are erased.").waitFor();
        assertEquals(await page.locator("#cards article").count(), 1);
        const [held] = await stack.sql`select count(*)::int as tokens from oauth.token_sets`;
        assertEquals(held?.tokens, 1, "Pipedrive’s alone");
      });

      await step("where another is the only one, the page is about that one", async () => {
        const stranger = await Visit.begin(browser, stack);
        const json = { providers: [{ name: "hubspot", values: [] }] };
        await stranger.context.route(OFFER, (route) => route.fulfill({ json, headers }));
        const theirs = await stranger.open();
        await theirs.getByRole("heading", { name: "Connect HubSpot once. It stays connected." }).waitFor();
        assertEquals(await theirs.title(), "HubSpot on Supabase");
        assert(!(await theirs.locator("body").innerText()).includes("Pipedrive"));
        await stranger.context.close();
      });

      await step("no token ever reached the browser", async () => {
        await visit.assertNothingLeaked(page, [zendesk.origin]);
        assert(zendesk.tokens.length >= 4, "two connections, two tokens each");
        const forms = zendesk.tokens.flatMap((token) => [token, encodeURIComponent(token)]);
        assertEquals(visit.traffic.filter((text) => forms.some((token) => text.includes(token))), []);
      });
    });
  } finally {
    await zendesk.stop();
  }
});
