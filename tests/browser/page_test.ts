/** The page in a real browser, from the first visit to the last: what a person sees, and what never reaches them. */
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { assert, assertEquals } from "../support/assert.ts";
import { type OwnStack, withStack } from "../support/own_stack.ts";
import { launch } from "./chromium.ts";

/** What a token, a code and a seal look like at Pipedrive and here. */
const SECRET = /v1u:|\b\d+:\d+:[0-9a-f]{40}|"refresh_token_sealed"|v1\.k\w*\.[\w-]+\./;

Deno.test("the page", async (t) => {
  await withStack({}, async (stack) => {
    const browser = await launch();
    try {
      const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
      const traffic = listen(context, stack);
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on("pageerror", ({ message }) => troubles.push(message));

      await t.step("signs the demo user in with one click", async () => {
        await page.goto(stack.app_url);
        await accessible(page, "signed out");
        await page.getByRole("button", { name: "Continue as the demo user" }).click();
        await page.getByText("demo@example.com").waitFor();
        await accessible(page, "signed in");
      });

      await t.step("says so when the user cancels at Pipedrive, and nothing is connected", async () => {
        await page.getByRole("button", { name: "Connect Pipedrive" }).click();
        await page.waitForURL(`${stack.provider_url}/**`);
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.waitForURL(`${stack.app_url}/**`);
        await page.getByRole("button", { name: "Connect Pipedrive" }).waitFor();
        assertEquals((await stack.sql`select from oauth.connections`).length, 0);
      });

      await t.step("connects through the consent page and shows the connection", async () => {
        await page.getByRole("button", { name: "Connect Pipedrive" }).click();
        await page.waitForURL(`${stack.provider_url}/**`);
        await page.getByText("This is not Pipedrive").waitFor();
        await accessible(page, "consent");
        await page.getByRole("button", { name: "Allow and install" }).click();
        await page.getByRole("button", { name: "Refresh now" }).waitFor();
        assert((await page.locator("body").innerText()).includes("Baltic Timber"));
        assertEquals(new URL(page.url()).hash, "", "the ticket is gone from the address");
        await accessible(page, "connected");
      });

      await t.step("searches as one types", async () => {
        await page.getByRole("searchbox").fill("ann");
        await page.getByText("a+b@example.com").locator("visible=true").first().waitFor();
        await page.getByRole("searchbox").fill("nobody at all");
        await page.getByText("Nobody matches").locator("visible=true").first().waitFor();
      });

      await t.step("fires fifty searches at an expired token: one refresh", async () => {
        const before = (await stack.control.counts()).refreshed;
        await page.getByRole("button", { name: "Fire 50 searches" }).click();
        await page.getByText("Refreshed").first().waitFor({ timeout: 60_000 });
        assertEquals((await stack.control.counts()).refreshed, before + 1);
      });

      await t.step("offers to connect again when Pipedrive has ended the connection", async () => {
        await page.getByRole("button", { name: "Revokes access" }).click();
        await page.getByRole("button", { name: "Let it expire" }).click();
        await page.getByRole("searchbox").fill("jane");
        await page.getByRole("button", { name: /connect again/i }).first().waitFor({ timeout: 60_000 });
        await accessible(page, "reauthorization required");
      });

      await t.step("holds a redirect without state for what it is", async () => {
        const answer = await fetch(await stack.control.install(), { redirect: "manual" });
        await answer.body?.cancel();
        await page.goto("about:blank");
        await page.goto(answer.headers.get("location") ?? "");
        await page.getByText("demo@example.com").waitFor();
        assert(!page.url().includes("oauth_error="), "the answer is gone from the address");
      });

      await t.step("fits a phone, in the dark, and nothing scrolls sideways", async () => {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.emulateMedia({ colorScheme: "dark" });
        const [width, room] = await page.evaluate<[number, number]>(
          "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        assert(width <= room, `${width} wide on ${room}`);
        await accessible(page, "phone, dark");
      });

      await t.step("has seen no token, and asked nobody but its own servers", () => {
        assertEquals(traffic.secrets, []);
        assertEquals(traffic.foreign, []);
        assert(traffic.answers > 20);
        assertEquals(troubles, []);
      });
    } finally {
      await browser.close();
    }
  });
});

/** Reads every answer that the browser gets. The login's own token is the page's to hold. */
function listen(context: BrowserContext, stack: OwnStack) {
  const own = new Set([stack.api_url, stack.app_url, stack.provider_url].map((url) => new URL(url).origin));
  const traffic = { answers: 0, secrets: [] as string[], foreign: [] as string[] };
  context.on("response", async (response) => {
    const { origin, pathname } = new URL(response.url());
    traffic.answers += 1;
    if (!own.has(origin)) traffic.foreign.push(origin);
    const read = response.status() < 300 && origin !== new URL(stack.provider_url).origin;
    const body = read ? await response.text().catch(gone) : "";
    if (SECRET.test(body) || SECRET.test(response.url())) traffic.secrets.push(pathname);
  });
  return traffic;
}

/** The browser went on to another page before the body had come. */
function gone(): string {
  return "";
}

/** axe-core finds nothing (WCAG 2.2 A and AA, and its best practices). */
async function accessible(page: Page, state: string): Promise<void> {
  const url = page.url();
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ html }) => html).join(" ")}`
    );
  });
  assertEquals([state, found], [state, []], url);
}

interface Violation {
  readonly id: string;
  readonly nodes: { readonly html: string }[];
}
