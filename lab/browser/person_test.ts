/** Small things, each as a person expects it: where the focus is, what stays, and what is not said any longer. */
import type { Page, Route } from "playwright-core";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { fillIn, NARROW, Visit, withBrowser } from "./visit.ts";

const COMPANY = "Baltic Timber";
const SEARCH = "**/functions/v1/search-persons";
const headers = { "access-control-allow-origin": "*" };
const FONT_SIZES = `[...document.querySelectorAll("input, select")]
  .map((one) => [one.id || one.name, parseFloat(getComputedStyle(one).fontSize)])`;
const focused = (page: Page) =>
  page.evaluate("document.activeElement.id || document.activeElement.innerText") as Promise<string>;

Deno.test("the page does what a person expects", async (t) => {
  await withBrowser(t, {}, async (stack, browser, step) => {
    const { sql } = stack;
    const visit = await Visit.begin(browser, stack);
    const page = await visit.open();
    const term = page.getByRole("searchbox");
    const persons = page.locator("#persons summary");
    const box = page.locator("#search-trouble");
    const callout = page.locator("#callout");
    const card = page.locator("#cards article").filter({ hasText: COMPANY });
    const allow = page.getByRole("button", { name: "Allow and install" });

    await step("the demo user is let in, whoever has signed up under that address", async () => {
      await fillIn(page, "demo", "Sign up");
      await page.getByText("demo@example.com").waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Continue as the demo user" }).click();
      await page.getByText("demo.user@example.com").waitFor();
    });

    await step("signed in or out, the focus is where the new view begins", async () => {
      assertEquals(await focused(page), "main");
      await page.keyboard.press("Tab");
      assertEquals(await focused(page), "connect");
      await page.getByRole("button", { name: "Sign out" }).press("Enter");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assertEquals(await focused(page), "main");
      await fillIn(page, "ana", "Sign up");
      await page.locator("#connect").waitFor();
      assertEquals(await focused(page), "main");
    });

    await step(
      "that she did not allow it is not said any longer once she has, in whichever tab",
      async () => {
        await page.locator("#connect").click();
        await page.getByRole("button", { name: "Cancel" }).click();
        await callout.getByText("You did not allow access").waitFor();
        const other = await visit.open();
        await other.locator("#connect").click();
        await other.getByRole("button", { name: "Allow and install" }).click();
        await other.getByText(`${COMPANY} is connected.`).waitFor();
        await card.getByText("Active").waitFor();
        assertEquals(await callout.innerText(), "");
        await other.close();
      },
    );

    await step("from the field to “Show more” it is two steps, and the arrows walk the persons", async () => {
      await term.fill("an");
      await page.getByText("20 persons, and there are more").waitFor();
      const first = await persons.nth(0).innerText();
      await term.press("Tab");
      assertEquals(await focused(page), first);
      await page.keyboard.press("Tab");
      assertEquals(await focused(page), "more");
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Tab");
      assertEquals(await focused(page), "more");
      await page.keyboard.press("Shift+Tab");
      assertEquals(await focused(page), await persons.nth(2).innerText());
    });

    await step("on a phone the search says how it stands, and no field zooms the page", async () => {
      await page.setViewportSize(NARROW);
      await page.getByRole("status").getByText("20 persons, and there are more").waitFor();
      const sizes = await page.evaluate(FONT_SIZES) as [name: string, size: number][];
      assert(sizes.length > 5);
      assertEquals(sizes.filter(([, size]) => size < 16), []);
      await visit.everyWidth(page, "found");
    });

    await step("what she has typed is still there, and asked, after she has connected again", async () => {
      await sql`update oauth.connections set refreshed_at = refreshed_at - interval '1 minute'`;
      await page.getByRole("button", { name: "Revokes access" }).click();
      await page.locator("#events").getByText("You revoked access").waitFor();
      await term.fill("jane");
      await box.getByRole("button", { name: "Connect again" }).click();
      await allow.click();
      await page.getByText(`${COMPANY} is connected.`).waitFor();
      await page.locator("#persons .name").getByText("Jane Doe").waitFor();
      assertEquals(await term.inputValue(), "jane");
    });

    await step("told to wait she cannot do otherwise, and once it is over nobody says so", async () => {
      const patient = await visit.context.newPage();
      await patient.clock.install();
      await patient.goto(stack.app_url);
      const trouble = patient.locator("#search-trouble");
      const json = { code: "PROVIDER_RATE_LIMITED", message: "", retry_after: 5 };
      await patient.route(SEARCH, (route) => route.fulfill({ status: 429, json, headers }));
      await patient.getByRole("searchbox").fill("jane");
      await trouble.getByText("Wait 5 seconds first.").waitFor();
      const again = trouble.getByRole("button", { name: "Try again" });
      assert(await again.isDisabled());
      await visit.examine(patient, "told to wait");
      await patient.clock.fastForward(5_000);
      await trouble.getByRole("button", { name: "Try again", disabled: false }).waitFor();
      assertEquals(await trouble.getByText("Wait").count(), 0);
      await patient.close();
    });

    await step("an answer that is none is told in a sentence, whatever it is", async () => {
      const type = { ...headers, "content-type": "text/html" };
      const answers: Parameters<Route["fulfill"]>[0][] = [
        { status: 502, body: "<h1>Bad gateway</h1>", headers: type },
        { status: 504, body: "", headers },
        { status: 200, body: "<h1>Sign in to this network</h1>", headers: type },
      ];
      for (const answer of answers) {
        await page.route(SEARCH, (route) => route.fulfill(answer), { times: 1 });
        await term.fill(`jane ${answer?.status}`);
        await box.getByText("The service does not answer as it should").waitFor();
        await box.getByRole("button", { name: "Try again" }).click();
        await page.getByText(`Nobody matches “jane ${answer?.status}”`).waitFor();
      }
    });

    await step("of an address only what the redirect brought is taken out", async () => {
      const denied = "oauth_error=AUTHORIZATION_DENIED";
      const addresses: [come: string, stays: string][] = [
        [`/?tab=1#${denied}`, "/?tab=1"],
        [`/@me?tags[]=1#/route?${denied}`, "/@me?tags[]=1#/route"],
        [`/a/b#/route?x=1&${denied}`, "/a/b#/route?x=1"],
      ];
      for (const [come, stays] of addresses) {
        await page.goto("about:blank");
        await page.goto(stack.app_url + come);
        await callout.getByText("You did not allow access").waitFor();
        assertEquals(page.url(), stack.app_url + stays);
      }
      for (const own of ["/?a#/route?code=1&state=2", "/#oauth", "/#access_token=1"]) {
        await page.goto("about:blank");
        await page.goto(stack.app_url + own);
        await card.waitFor();
        assertEquals([page.url(), await callout.innerText()], [stack.app_url + own, ""]);
      }
    });

    await step("she comes back to where she left: path, query and route", async () => {
      for (const left of ["/a/b?tab=1#/route", "/a?tab=1#/route?x=1", "/#main"]) {
        await page.goto("about:blank");
        await page.goto(stack.app_url + left);
        await page.getByRole("button", { name: "Connect another account" }).click();
        await allow.click();
        await page.getByText(`${COMPANY} is connected.`).waitFor();
        assertEquals(page.url(), stack.app_url + left);
      }
    });

    await step("none of this let a token through", async () => {
      await visit.assertNothingLeaked(page);
    });

    await step("where the page is not told its project, it says so", async () => {
      await page.route("**/config.json", (route) => route.fulfill({ status: 404, body: "Not found" }));
      await page.goto("about:blank");
      await page.goto(stack.app_url);
      await page.locator("#toast").getByText("The service does not answer as it should").waitFor();
      await page.unroute("**/config.json");
      await page.getByRole("button", { name: "Try again" }).click();
      await card.waitFor();
    });
  });
});
