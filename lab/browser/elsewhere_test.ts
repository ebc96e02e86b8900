/** The page for a project elsewhere, `supabase start` or a hosted one: it is told two values, and has nothing local. */
import type { Page } from "playwright-core";
import { createPage, type PageConfig } from "../../local/stack/page.ts";
import { serve } from "../../local/stack/serve.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { Project } from "./realtime.ts";
import { Visit, withBrowser } from "./visit.ts";

const TWO_VALUES = ["api_url", "publishable_key"];
const EVENTS = "/rest/v1/oauth_events";

Deno.test("config.json has the two values, and the policy lets a hosted project's sockets through", async () => {
  const file = await Deno.readTextFile(new URL("../../demo/config.json", import.meta.url));
  assertEquals(Object.keys(JSON.parse(file)), TWO_VALUES);
  const page = createPage({
    config: { api_url: "https://abc.supabase.co", publishable_key: "sb_publishable_1" },
  });
  const answer = await page(new Request("http://127.0.0.1/"));
  await answer.body?.cancel();
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert(policy.includes("connect-src 'self' https://abc.supabase.co wss://abc.supabase.co;"), policy);
});

Deno.test("the page works with a project elsewhere", async (t) => {
  const config: PageConfig = { api_url: "", publishable_key: "" };
  const site = serve(0, createPage({ config }));
  try {
    await withBrowser(t, { env: { APP_URL: site.origin } }, async (stack, browser, step) => {
      const project = new Project(stack);
      Object.assign(config, { api_url: project.origin, publishable_key: stack.publishable_key });
      const visit = await Visit.begin(browser, { ...stack, app_url: site.origin, api_url: project.origin });
      const event = (page: Page, words: string) => page.locator("#events li").filter({ hasText: words });
      const topic = async () => {
        const [user] = await stack.sql`select id from auth.users`;
        return `realtime:oauth_events:${user?.id}`;
      };

      let page = await visit.signUp("elsewhere");

      await step(
        "connecting and searching work, and nothing of the local stack is to be seen",
        async () => {
          await page.locator("#connect").click();
          await page.getByRole("button", { name: "Allow and install" }).click();
          await page.getByText("Baltic Timber is connected.").waitFor();
          await page.getByRole("searchbox").fill("jane");
          await page.locator("#persons .name").getByText("Jane Doe").waitFor();
          for (const words of ["Local", "Try to break it"]) {
            assertEquals(await page.getByText(words, { exact: true }).isVisible(), false, words);
          }
          assertEquals(visit.requests.filter((url) => /\/local\/|\/_control\//.test(url)), []);
          await visit.examine(page, "elsewhere");
        },
      );

      await step("where Realtime is off, the timeline asks every two seconds", async () => {
        await page.getByText("every 2 s").waitFor();
        await page.getByRole("button", { name: "Refresh now" }).click();
        await event(page, "Access token refreshed").waitFor();
        const before = visit.sentTo(EVENTS);
        await page.waitForRequest((request) => new URL(request.url()).pathname === EVENTS);
        assert(visit.sentTo(EVENTS) > before);
      });

      await step("where it is on, the timeline is told, and does not ask meanwhile", async () => {
        project.live = true;
        page = await visit.context.newPage();
        await page.clock.install();
        await page.goto(site.origin);
        await page.getByText("live", { exact: true }).waitFor();
        await event(page, "Access token refreshed").waitFor();
        // From here on no timer of the page's goes off; and until then it would not have asked.
        await page.clock.pauseAt(Date.now() + 20_000);
        await stack.control.uninstall({ company_id: 7100201, user_id: 11 });
        assertEquals(project.tell(await topic(), "uninstalled", {}), 1);
        await event(page, "Uninstalled in Pipedrive").waitFor();
        await page.clock.resume();
      });

      await step("when the line breaks it asks again, until the line is back", async () => {
        project.live = false;
        project.breakLines();
        await page.getByText("every 2 s").waitFor();
        project.live = true;
        await page.getByText("live", { exact: true }).waitFor();
      });

      await step("no token reached the browser, and the policy held", async () => {
        await visit.assertNothingLeaked(page, [stack.api_url]);
      });

      await visit.context.close();
      await project.stop();
    });
  } finally {
    await site.stop();
  }
});
