/** What goes wrong on the way, in a real browser: a person is told in a sentence, and can do something about it. */
import { followRedirect } from "../../local/stack/app_user.ts";
import { adviceFor, SENTENCES } from "../../demo/sentences.js";
import { CODES } from "../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { fillIn, Visit, withBrowser } from "./visit.ts";

const COMPANY = "Baltic Timber";
const ACCOUNT = "7100201:11";
/** After these only a new login helps; the page then shows the form instead of a box. */
const LOGIN_ENDED = ["MISSING_CREDENTIALS", "INVALID_CREDENTIALS"];

Deno.test("whatever happens, a person is told and can go on", async (t) => {
  await withBrowser(t, {}, async (stack, browser, step) => {
    const { control, sql } = stack;
    const connections = async () => (await sql`select 1 from oauth.connections`).length;
    const visit = await Visit.begin(browser, stack);
    const page = await visit.signUp("ana");
    const term = page.getByRole("searchbox");
    const box = page.locator("#search-trouble");
    const found = page.locator("#persons .name").getByText("Jane Doe");
    const callout = (words: string) => page.locator("#callout").getByText(words);
    const card = page.locator("#cards article").filter({ hasText: COMPANY });
    const allow = page.getByRole("button", { name: "Allow and install" });

    await step("cancelled at Pipedrive: nothing is connected, and she may try again", async () => {
      await page.locator("#connect").click();
      await page.getByRole("button", { name: "Cancel" }).click();
      await callout("You did not allow access at Pipedrive").waitFor();
      assertEquals([await connections(), new URL(page.url()).hash], [0, ""]);
      await visit.examine(page, "denied");
      await page.locator("#callout").getByRole("button", { name: "Connect Pipedrive" }).click();
      await allow.waitFor();
    });

    await step("a redirect without our state connects nothing, signed in or not", async () => {
      await page.goto(await control.install());
      await callout("One more step: connect from here").waitFor();
      assertEquals([await connections(), new URL(page.url()).hash], [0, ""]);
      const stranger = await Visit.begin(browser, stack);
      const elsewhere = await stranger.open();
      await elsewhere.goto(await control.install());
      await elsewhere.getByText("One more step: connect from here").waitFor();
      await elsewhere.getByRole("heading", { name: "Sign in" }).waitFor();
      await stranger.examine(elsewhere, "not begun here, signed out");
      assertEquals(await connections(), 0);
      await stranger.context.close();
    });

    await step("another tab cannot finish what this one began; this one can, once", async () => {
      await page.locator("#connect").click();
      await allow.waitFor();
      const ticket = await followRedirect(control, page.url(), ACCOUNT);
      const other = await visit.open(`/#oauth_ticket=${ticket}`);
      await other.locator("#callout").getByText("was begun in another tab").waitFor();
      assertEquals([await connections(), new URL(other.url()).hash], [0, ""]);
      await visit.examine(other, "another tab");
      await page.goto(`${stack.app_url}/#oauth_ticket=${ticket}`);
      await page.getByText(`${COMPANY} is connected.`).waitFor();
      await other.locator("#cards").getByText(COMPANY).waitFor();
      await other.close();
      await page.goto("about:blank");
      await page.goto(`${stack.app_url}/#oauth_ticket=${ticket}`);
      await callout("it is used up, too old").waitFor();
      assertEquals(await connections(), 1);
    });

    await step("a login that ends while she is at Pipedrive: she signs in and it is finished", async () => {
      await page.getByRole("button", { name: "Connect another account" }).click();
      await allow.waitFor();
      const other = await visit.open();
      await other.getByRole("button", { name: "Sign out" }).click();
      await other.getByRole("heading", { name: "Sign in" }).waitFor();
      await allow.click();
      await page.getByText("Sign in to finish connecting.").waitFor();
      await visit.examine(page, "sign in to finish");
      await fillIn(page, "ana", "Sign in");
      await page.getByText(`${COMPANY} is connected.`).waitFor();
      // The other tab follows: whoever signs in or out does so in every tab.
      await other.locator("#cards").getByText(COMPANY).waitFor();
      await other.close();
    });

    await step(
      "a login that ends under her hands: she signs in, and what she typed is still there",
      async () => {
        await page.evaluate(FORGE_LOGIN);
        await term.fill("jane");
        await page.getByText("Your login has ended").waitFor();
        await visit.examine(page, "login ended");
        await fillIn(page, "ana", "Sign in");
        await card.waitFor();
        assertEquals(await term.inputValue(), "jane");
      },
    );

    await step("a broken Pipedrive: she is told, and tries again when it is back", async () => {
      await page.getByRole("radio", { name: "broken" }).check();
      await page.locator("#events").getByText("You made Pipedrive broken").waitFor();
      await term.fill("jane");
      await box.getByText("Pipedrive does not answer properly").waitFor();
      await visit.examine(page, "broken provider");
      await page.getByRole("radio", { name: "normal" }).check();
      await page.locator("#events").getByText("You made Pipedrive normal").waitFor();
      await box.getByRole("button", { name: "Try again" }).click();
      await found.waitFor();
    });

    await step("a slow Pipedrive: she sees that it is asked", async () => {
      await page.getByRole("radio", { name: "slow" }).check();
      await page.locator("#events").getByText("You made Pipedrive slow").waitFor();
      assert((await control.configure({})).api_latency_ms > 1_000);
      const seen = Promise.withResolvers<void>();
      await page.route("**/functions/v1/search-persons", async (route) => {
        await seen.promise;
        await route.continue();
      }, { times: 1 });
      await term.fill("jane d");
      await page.getByText("Searching …").waitFor();
      await page.locator("#search-panel[aria-busy=true]").waitFor();
      await visit.examine(page, "asking");
      seen.resolve();
      await page.getByText("1 person, that is all").waitFor();
      await page.getByRole("radio", { name: "normal" }).check();
      await page.locator("#events").getByText("You made Pipedrive normal").nth(1).waitFor();
    });

    await step("no network: she is told, and nothing of the page is lost", async () => {
      await visit.context.setOffline(true);
      await term.fill("jane do");
      await box.getByText("The service cannot be reached").waitFor();
      await visit.context.setOffline(false);
      await box.getByRole("button", { name: "Try again" }).click();
      await found.waitFor();
    });

    await step("every code of the contract has its sentence and its button", async () => {
      const sentences: Record<string, string[] | undefined> = SENTENCES;
      const codes = [...Object.keys(CODES), "INVALID_API_KEY", "WORKER_ERROR"];
      let code = "";
      const headers = { "access-control-allow-origin": "*" };
      await page.route(
        "**/functions/v1/search-persons",
        (route) =>
          route.fulfill({ status: 400, json: { code, message: "in the function’s words" }, headers }),
      );
      for (code of codes.filter((code) => !LOGIN_ENDED.includes(code))) {
        assert(sentences[code], `a sentence for ${code}`);
        const { sentence } = adviceFor({ code, provider: "pipedrive" });
        await term.fill(`because of ${code}`);
        await term.press("Enter");
        await box.getByText(sentence).waitFor();
        assertEquals(await box.getByRole("button").count(), 1, `a button for ${code}`);
        assert(
          !(await box.innerText()).includes("in the function’s words"),
          "the sentence speaks for itself",
        );
      }
    });

    await step("none of this let a token through, or moved the page", async () => {
      await visit.assertNothingLeaked(page);
      await visit.assertStill(page);
    });
  });
});

/** The stored login gets a signature that is none: what a login revoked elsewhere looks like. */
const FORGE_LOGIN = `for (const [name, value] of Object.entries(localStorage)) {
  const login = JSON.parse(value);
  login.access_token = login.access_token.split(".").slice(0, 2).concat("bm90IGEgc2lnbmF0dXJl").join(".");
  localStorage.setItem(name, JSON.stringify(login));
}`;
