/** The whole story in a real browser: from the first visit to the last disconnect, as a person lives it. */
import type { Page } from "playwright-core";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { mature } from "../../tests/support/own_stack.ts";
import { holdsSecret, PHONE, Visit, withBrowser } from "./visit.ts";

const SEARCH = "/functions/v1/search-persons";
/** Longer than it takes anybody to change their mind, and less than the product waits for one answer. */
const LONG_MS = 6_000;
/** Faster than any pause between two letters. */
const TYPE_JANE = `for (const letter of "jane") {
  const field = document.getElementById("term");
  field.value += letter;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}`;
/** What a script that got into the page would try. Says what stopped it: an event, also where it throws. */
const ATTACK = `(async () => {
  const stopped = new Set();
  addEventListener("securitypolicyviolation", ({ effectiveDirective }) => stopped.add(effectiveDirective));
  await fetch("https://thief.example/").catch(() => {});
  new Image().src = "https://thief.example/";
  try {
    document.body.insertAdjacentHTML("beforeend", "<b onclick='alert(1)'></b>");
  } catch {}
  while (stopped.size < 3) await new Promise(requestAnimationFrame);
  return [...stopped].sort();
})()`;

Deno.test("a person connects Pipedrive once and searches for ever", async (t) => {
  await withBrowser(t, { instances: { "search-persons": 2 } }, async (stack, browser, step) => {
    const { control, sql } = stack;
    const visit = await Visit.begin(browser, stack);
    const page = await visit.open();
    const term = page.getByRole("searchbox");
    const persons = page.locator("#persons > li");
    const card = (name: string) => page.locator("#cards article").filter({ hasText: name });
    const event = (words: string) => page.locator("#events li").filter({ hasText: words });
    const journal = async () => (await control.journal()).filter(({ kind }) => kind === "search");
    /** What Pipedrive was asked for, once none of it is under way. */
    const searches = async () => {
      await until(async () => (await journal()).every(({ status }) => status !== null));
      return await journal();
    };

    await step("she is asked to sign in, and a demo user is one click away", async () => {
      await page.getByRole("heading", { name: "Connect Pipedrive once" }).waitFor();
      await visit.examine(page, "signed out");
      await page.getByRole("button", { name: "Continue as the demo user" }).click();
      await page.getByText("demo@example.com").waitFor();
      await page.getByRole("heading", { name: "No Pipedrive account is connected" }).waitFor();
      await visit.examine(page, "nothing connected");
    });

    await step("Pipedrive’s consent page says what is asked, and that it is a sandbox", async () => {
      await page.getByRole("button", { name: "Connect Pipedrive" }).click();
      await page.getByRole("button", { name: "Allow and install" }).waitFor();
      assertEquals(new URL(page.url()).origin, stack.provider_url);
      await page.getByText("This is not Pipedrive").waitFor();
      await page.getByText("contacts:read").waitFor();
      await visit.examine(page, "consent");
      await visit.picture(page, "consent");
      await page.getByRole("button", { name: "Allow and install" }).click();
    });

    await step(
      "she is back, and the card says whose account it is and how long its token lives",
      async () => {
        await page.getByText("Baltic Timber is connected.").waitFor();
        await card("Baltic Timber").getByText("Active").waitFor();
        await card("Baltic Timber").getByText("contacts:read").waitFor();
        assertMatch(await card("Baltic Timber").locator(".figure").innerText(), /^(59:\d\d|1:00:00)$/);
        await event("Connected").waitFor();
        assertEquals(new URL(page.url()).hash, "", "the ticket is gone from the address");
        await visit.examine(page, "connected");
      },
    );

    await step("typing asks once, not at every letter", async () => {
      const before = visit.sentTo(SEARCH);
      await page.evaluate(TYPE_JANE);
      await persons.filter({ hasText: "Jane Doe" }).waitFor();
      assertEquals(visit.sentTo(SEARCH), before + 1);
      assertEquals(await persons.locator("mark").first().innerText(), "Jane");
    });

    await step("a question that is not wanted any more is taken back", async () => {
      await control.configure({ api_latency_ms: LONG_MS });
      const withdrawn = page.waitForEvent("requestfailed", (request) => request.url().endsWith(SEARCH));
      const asked = page.waitForRequest((request) => request.url().endsWith(SEARCH));
      await term.fill("zof");
      await asked;
      await until(async () => (await journal()).some(({ query }) => query?.term === "zof"));
      await term.fill("ann bee");
      assertMatch((await withdrawn).failure()?.errorText ?? "", /ABORTED/);
      await control.configure({ api_latency_ms: 0 });
      await persons.filter({ hasText: "Ann Bee" }).waitFor();
      assertEquals(await persons.count(), 1);
      const taken = (await searches()).filter(({ query }) => query?.term === "zof");
      assertEquals(taken.map(({ status }) => status), [499], "it was taken back at Pipedrive too");
    });

    await step("there are pages, and the next one begins where she is", async () => {
      await term.fill("an");
      await page.getByText("20 persons, and there are more").waitFor();
      await page.getByRole("button", { name: "Show more" }).click();
      await page.getByText("40 persons, and there are more").waitFor();
      const focused = await page.evaluate("document.activeElement.innerText");
      assertEquals(focused, await persons.nth(20).locator("summary").innerText());
      await visit.examine(page, "found");
    });

    await step("the keyboard is enough", async () => {
      await page.locator("#search-title").click();
      await page.keyboard.press("/");
      assertEquals(await page.evaluate("document.activeElement.id"), "term");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await persons.nth(1).getByText("+1 (555) 010-0199").waitFor();
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowUp");
      assertEquals(await page.evaluate("document.activeElement.id"), "term");
      await page.keyboard.press("Escape");
      await page.getByText("Type two letters").waitFor();
      await visit.examine(page, "idle");
    });

    await step("nobody found is said, and what else to try", async () => {
      await term.fill("qqqq");
      await page.getByText("Nobody matches “qqqq”.").waitFor();
      await visit.examine(page, "nobody");
    });

    await step("the token expires, and she does not notice", async () => {
      await page.getByRole("button", { name: "Let it expire" }).click();
      await card("Baltic Timber").getByText("Expired").waitFor();
      await term.fill("jane");
      await persons.filter({ hasText: "Jane Doe" }).waitFor();
      await event("Access token refreshed").first().waitFor();
      await card("Baltic Timber").getByText("version 2").waitFor();
    });

    await step("Pipedrive refuses the token early, and she does not notice", async () => {
      await mature(stack);
      await page.getByRole("button", { name: "Refuse it with 401" }).click();
      await event("refuse the access token").waitFor();
      await term.fill("ann");
      await persons.filter({ hasText: "Ann Bee" }).waitFor();
      await card("Baltic Timber").getByText("version 3").waitFor();
    });

    await step("fifty searches at once wait for one refresh, and the chart shows it", async () => {
      const before = await control.counts();
      const earlier = (await searches()).length;
      await page.getByRole("button", { name: "Fire 50 searches" }).click();
      await page.locator("#race-summary").filter({ hasText: /50 searches at once: 1 refresh, 50 answers/ })
        .waitFor();
      const after = await control.counts();
      assertEquals(after.refreshed, before.refreshed + 1);
      const asked = (await searches()).slice(earlier);
      const answered = asked.filter(({ status }) => status === 200).map(({ query }) => Number(query?.limit));
      const each = Array.from({ length: 50 }, (_, place) => place + 1);
      assertEquals(answered.toSorted((a, b) => a - b), each, "Pipedrive answered every caller once");
      // The panel ends tokens before their time, and an isolate that holds one sends it along.
      const refused = asked.filter(({ status }) => status !== 200);
      assertEquals(refused.filter(({ status }) => status !== 401), []);
      assert(refused.length <= 50, `${refused.length} refused`);
      assertEquals(await page.locator("#race line.asks").count(), 50);
      assertEquals(await page.locator("#race rect.refresh").count(), 1);
      await card("Baltic Timber").getByText("version 4").waitFor();
      await visit.examine(page, "after the race");
      await visit.picture(page, "page", { fullPage: true });
    });

    await step("nothing has moved by itself", async () => {
      await visit.assertStill(page);
    });

    await step("a second account stands beside the first, and a search is told which", async () => {
      await connectAnother(page, "Harbour Coffee");
      assertEquals(await page.locator("#cards article").count(), 2);
      await page.getByLabel("Search in").selectOption({ label: "Harbour Coffee" });
      await term.fill("jane");
      await persons.filter({ hasText: "Jane Doe" }).waitFor();
      const asked = (await control.journal()).findLast(({ kind }) => kind === "search");
      assertEquals([asked?.company_id, asked?.user_id], [7100302, 23]);
      await visit.examine(page, "two connections");
    });

    await step("it is readable on a phone", async () => {
      await page.setViewportSize(PHONE);
      await visit.examine(page, "phone");
      await page.setViewportSize({ width: 1280, height: 860 });
    });

    await step(
      "where Pipedrive has ended a connection, she connects again and it keeps its history",
      async () => {
        const ids = async () => (await sql`select id from oauth.connections order by id`).map(({ id }) => id);
        const before = await ids();
        // Of a token that was given seconds ago a refusal says little.
        await sql`update oauth.connections set refreshed_at = refreshed_at - interval '1 minute'`;
        await page.getByRole("button", { name: "Revokes access" }).click();
        await event("revoked access").waitFor();
        await term.fill("ann bee");
        await page.locator("#search-trouble").getByText("Pipedrive has ended this connection").waitFor();
        await card("Harbour Coffee").getByRole("button", { name: "Connect again" }).waitFor();
        await event("Must be connected again").waitFor();
        await visit.examine(page, "reauthorization required");
        await visit.picture(page, "connect-again");
        await card("Harbour Coffee").getByRole("button", { name: "Connect again" }).click();
        await allowFor(page, "Inês Duarte");
        await card("Harbour Coffee").getByText("Active").waitFor();
        assertEquals(await ids(), before);
      },
    );

    await step("uninstalled in Pipedrive, it goes to the past by itself", async () => {
      await page.getByLabel("Search in").selectOption({ label: "Harbour Coffee" });
      await page.getByText("Acts on Harbour Coffee").waitFor();
      await page.getByRole("button", { name: "Uninstalls the app" }).click();
      await event("Uninstalled in Pipedrive").waitFor();
      await page.getByText("Past connections").click();
      await page.locator("#past-cards").getByText("Disconnected").waitFor();
      assertEquals(await page.locator("#cards article").count(), 1);
      await visit.examine(page, "one in the past");
    });

    await step("disconnecting asks first, and then it is over on both sides", async () => {
      const button = card("Baltic Timber").getByRole("button", { name: "Disconnect" });
      await button.click();
      await visit.examine(page, "confirmation");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await card("Baltic Timber").getByText("Active").waitFor();
      assertEquals(await page.evaluate("document.activeElement.textContent"), "Disconnect…");
      await button.click();
      await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("Baltic Timber is disconnected").waitFor();
      await page.getByRole("heading", { name: "No Pipedrive account is connected" }).waitFor();
      assertEquals((await control.installations()).filter(({ version }) => version > 0), []);
      assertEquals((await sql`select 1 from oauth.token_sets`).length, 0);
    });

    await step("no token ever reached the browser, and nobody else’s server was asked", async () => {
      const minted = await control.grant({ user: "7100403:31" });
      assert(holdsSecret(minted.access_token), "an access token would be recognised");
      assert(holdsSecret(minted.refresh_token ?? ""), "a refresh token would be recognised");
      await visit.assertNothingLeaked(page);
    });

    await step("a script that got into the page could ask nobody and write no markup", async () => {
      assertEquals(await page.evaluate(ATTACK), ["connect-src", "img-src", "require-trusted-types-for"]);
    });
  });
});

/** Asks again until it holds; the test runner's own limit ends what never does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function connectAnother(page: Page, company: string): Promise<void> {
  await page.getByRole("button", { name: "Connect another account" }).click();
  await allowFor(page, "Inês Duarte");
  await page.getByText(`${company} is connected.`).waitFor();
}

async function allowFor(page: Page, person: string): Promise<void> {
  await page.getByRole("radio", { name: person }).check();
  await page.getByRole("button", { name: "Allow and install" }).click();
}
