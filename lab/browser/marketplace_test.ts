/** An install that begins in Pipedrive's marketplace, in a real browser: whoever it is, it ends connected. */
import type { Page } from "playwright-core";
import { createPage, type PageConfig } from "../../local/stack/page.ts";
import { serve } from "../../local/stack/serve.ts";
import { assertEquals, assertStringIncludes } from "../../tests/support/assert.ts";
import { StaticHost } from "./static_host.ts";
import { fillIn, Visit, withBrowser } from "./visit.ts";

const COMPANY = "Baltic Timber";
const MARI = { company_id: 7100201, user_id: 11 };
const CONNECT = "/connect/pipedrive";

Deno.test("an install begun in the marketplace ends connected, whoever it is, with one consent", async (t) => {
  const config: PageConfig = { api_url: "", publishable_key: "" };
  const site = serve(0, createPage({ config }));
  const host = new StaticHost();
  const framing = serve(0, (request) => {
    const src = new URL(request.url).searchParams.get("of") ?? "";
    return new Response(`<iframe src="${src}">`, { headers: { "content-type": "text/html" } });
  });
  try {
    const env = { APP_URL: `${site.origin},${host.origin}` };
    await withBrowser(t, { env }, async (stack, browser, step) => {
      const { control, sql } = stack;
      Object.assign(config, { api_url: stack.api_url, publishable_key: stack.publishable_key });
      host.config = config;
      const visit = await Visit.begin(browser, { ...stack, app_url: site.origin });
      const page = await visit.context.newPage();
      const allow = page.getByRole("button", { name: "Allow and install" });
      const connected = page.getByText(`${COMPANY} is connected.`);
      const callout = page.locator("#callout");
      const begun = async () => (await sql`select 1 from oauth.authorization_requests`).length;
      const consents = async () =>
        (await control.journal()).filter(({ outcome }) => outcome === "consent_shown").length;
      const active = async () => (await sql`select 1 from oauth.connections where status = 'active'`).length;
      /** From the marketplace on, until Pipedrive has asked and was allowed to. */
      const install = async () => {
        await page.goto(stack.provider_url);
        await page.getByRole("link", { name: "Install now" }).click();
      };
      const endConnected = async (before: number) => {
        await allow.click();
        await connected.waitFor();
        assertEquals([await consents(), await active(), page.url()], [before + 1, 1, `${site.origin}/`]);
      };
      const uninstall = async () => {
        await control.uninstall(MARI);
        await page.getByRole("heading", { name: "No Pipedrive account is connected" }).waitFor();
      };

      await step("the local stack’s page is where its sandbox lets an install begin", async () => {
        await page.goto(stack.provider_url);
        await page.getByText(stack.app_url + CONNECT, { exact: true }).waitFor();
        await control.register({ installation_url: site.origin + CONNECT });
        await page.reload();
        await page.getByText(site.origin + CONNECT, { exact: true }).waitFor();
        await visit.everyWidth(page, "the marketplace");
      });

      await step("somebody new: she signs up, and is asked once", async () => {
        await install();
        await page.getByText("Sign in to connect Pipedrive. If you are new here, sign up.").waitFor();
        await visit.everyWidth(page, "case 1, somebody new");
        await page.reload();
        await page.getByText("Sign in to connect Pipedrive").waitFor();
        assertEquals(await begun(), 0);
        await fillIn(page, "ana", "Sign up");
        await allow.waitFor();
        await visit.show(page, "case 1, the consent");
        await endConnected(0);
        await visit.show(page, "case 1, connected");
      });

      await step("somebody known who is signed out: she signs in, and is asked once", async () => {
        await uninstall();
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
        const before = await consents();
        await install();
        await page.getByText("Sign in to connect Pipedrive").waitFor();
        await visit.show(page, "case 2, signed out");
        await fillIn(page, "ana", "Sign in");
        await endConnected(before);
        await visit.show(page, "case 2, connected");
      });

      await step("somebody who is signed in: she is asked at once", async () => {
        await uninstall();
        const before = await consents();
        await install();
        await allow.waitFor();
        await endConnected(before);
        await visit.show(page, "case 3, connected");
      });

      await step("whoever goes back from the consent, or cancels it, is not sent there again", async () => {
        await uninstall();
        await install();
        await allow.waitFor();
        const before = await begun();
        await page.goBack();
        await page.getByRole("heading", { name: "No Pipedrive account is connected" }).waitFor();
        await page.goForward();
        await page.getByRole("button", { name: "Cancel" }).click();
        await callout.getByText("You did not allow access at Pipedrive").waitFor();
        await page.reload();
        await page.getByRole("heading", { name: "No Pipedrive account is connected" }).waitFor();
        assertEquals([await begun(), await active()], [before, 0]);
      });

      await step(
        "without an Installation URL she takes one more step, and is told what would spare it",
        async () => {
          await control.register({ installation_url: null });
          await install();
          await allow.click();
          await callout.getByText("One more step: connect from here").waitFor();
          assertStringIncludes(
            await callout.innerText(),
            `with ${site.origin}${CONNECT} as the Installation URL of your app`,
          );
          assertEquals([await active(), page.url()], [0, `${site.origin}/`]);
          await visit.everyWidth(page, "no Installation URL");
          const before = await consents();
          await callout.getByRole("button", { name: "Connect Pipedrive" }).click();
          await endConnected(before);
        },
      );

      await step("it does as well on a host that only has files", async () => {
        await uninstall();
        await control.register({ installation_url: host.origin + CONNECT });
        await install();
        await fillIn(page, "ben", "Sign up");
        await allow.click();
        await connected.waitFor();
        assertEquals([await active(), page.url()], [1, `${host.origin}/`]);
      });

      await step("nothing begins within a page elsewhere, whether or not the host forbids it", async () => {
        const before = await begun();
        await page.goto(`${framing.origin}/?of=${host.origin}${CONNECT}`);
        await page.frameLocator("iframe").getByText("Active").waitFor();
        await page.goto(`${framing.origin}/?of=${site.origin}${CONNECT}`);
        assertEquals(framed(page), "chrome-error://chromewebdata/");
        assertEquals(await begun(), before);
      });

      await step("no token reached the browser, and the page kept its rules", async () => {
        visit.complaints.splice(
          0,
          visit.complaints.length,
          ...visit.complaints.filter((one) => !/frame-ancestors/.test(one)),
        );
        await visit.assertNothingLeaked(page, [host.origin, framing.origin]);
      });
    });
  } finally {
    for (const served of [site, host, framing]) await served.stop();
  }
});

/** Where the frame has come to. */
function framed(page: Page): string | undefined {
  return page.frames().find((frame) => frame !== page.mainFrame())?.url();
}
