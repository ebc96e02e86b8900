/** A fresh Vite application with the client: built, run by Node, and clicked through in a real browser. */
import type { Browser, Page } from "playwright-core";
import { assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { serve } from "../../local/stack/serve.ts";
import type { OwnStack } from "../../tests/support/own_stack.ts";
import { type Step, Visit, withBrowser } from "../browser/visit.ts";
import { FreshApp, SIGN_IN, SUPABASE_JS } from "./fresh_app.ts";

const CREATE = ["create-vite@9.3.0", "app", "--template", "react-ts", "--no-interactive"];
const APP = `import { useEffect, useState } from "react";
import { createClient } from "@supabase/supabase-js";
import { Pipedrive } from "./Pipedrive";
import { SignIn } from "./SignIn";

const supabase = createClient(import.meta.env.VITE_SUPABASE_URL, import.meta.env.VITE_SUPABASE_PUBLISHABLE_KEY);
const popup = location.search.includes("popup");

export default function App() {
  const [user, setUser] = useState<string>();
  useEffect(() => {
    const { data } = supabase.auth.onAuthStateChange((_, session) => setUser(session?.user.id));
    return () => data.subscription.unsubscribe();
  }, []);
  return user ? <Pipedrive key={user} supabase={supabase} popup={popup} /> : <SignIn supabase={supabase} />;
}
`;
const SERVER = `import { createClient } from "@supabase/supabase-js";
import { search } from "./pipedrive.ts";

const { VITE_SUPABASE_URL = "", SECRET_KEY = "", CONNECTION_ID = "" } = process.env;
const supabase = createClient(VITE_SUPABASE_URL, SECRET_KEY, { auth: { persistSession: false } });
const { data } = await search(supabase, { term: "jane doe", connection_id: CONNECTION_ID });
console.log(data.items[0]?.item.name);
`;

Deno.test("a fresh Vite application connects", async (t) => {
  await FreshApp.within(CREATE, [SUPABASE_JS], async (app) => {
    await withBrowser(t, { app_url: app.origin }, async (stack, browser, step) => {
      const { api_url: VITE_SUPABASE_URL, publishable_key: VITE_SUPABASE_PUBLISHABLE_KEY, secret_key } =
        stack;
      app.env = { VITE_SUPABASE_URL, VITE_SUPABASE_PUBLISHABLE_KEY, SECRET_KEY: secret_key };
      await app.copyClient("src");
      await app.write("src/SignIn.tsx", SIGN_IN);
      await app.write("src/App.tsx", APP);

      await step("its own build and its own lint take the client as it is", async () => {
        assertMatch(await app.run("npm", ["run", "build"]), /built in/);
        await app.run("npm", ["run", "lint", "--", "--deny-warnings", "src"]);
      });
      await app.serve("vite/bin/vite.js", ["--host", "127.0.0.1", "--strictPort"], async () => {
        await clickThrough({ ...stack, app_url: app.origin }, browser, step);
      });
      await step("Node runs the client without a build, on a server", async () => {
        const [connection] = await stack.sql`select id from oauth.connections where status = 'active'`;
        app.env = { CONNECTION_ID: connection?.id };
        await app.write("src/server.ts", SERVER);
        assertEquals(await app.run("node", ["src/server.ts"]), "Jane Doe\n");
      });
    });
  });
});

async function clickThrough(stack: OwnStack, browser: Browser, step: Step): Promise<void> {
  const visit = await Visit.begin(browser, stack);
  const here = `${stack.app_url}/?tab=crm&tags[]=1#/accounts?sort=name`;
  const page = await visit.context.newPage();
  const said = (words: string, on = page) =>
    on.getByRole("status").getByText(words, { exact: true }).waitFor();
  const press = (name: string, on = page) => on.getByRole("button", { name, exact: true }).click();
  const connection = () => stack.sql`select * from oauth.connections where status = 'active'`;
  const popup = async () => {
    const opened = page.waitForEvent("popup");
    await press("Connect Pipedrive");
    return await opened;
  };

  await step("she signs up, and nothing is connected", async () => {
    await page.goto(here);
    await page.getByLabel("E-mail").fill("ana@example.com");
    await press("Sign up");
    await said("Pipedrive is not connected.");
    await examine(visit, page, "not connected");
  });

  await step("she does not allow it, and is told so", async () => {
    await press("Connect Pipedrive");
    await press("Cancel");
    await page.getByRole("alert").getByText("You did not allow the access.").waitFor();
    assertEquals(page.url(), here);
    await examine(visit, page, "refused");
  });

  await step("she connects, and is back where she was: path, query and hash route", async () => {
    await press("Connect Pipedrive");
    await press("Allow and install");
    await said("Pipedrive is connected.");
    assertEquals(page.url(), here);
    await examine(visit, page, "connected");
  });

  await step("she sees persons", async () => {
    await page.getByLabel("Name").fill("jane doe");
    await press("Search");
    await page.getByRole("listitem").getByText("Jane Doe").waitFor();
  });

  await step("what Pipedrive has ended is connected again, and is the same connection", async () => {
    const [before] = await connection();
    await stack.sql`update oauth.connections set status = 'reauthorization_required'`;
    await page.reload();
    await said("Pipedrive has ended this connection. Connect again.");
    await examine(visit, page, "connect again");
    await press("Connect Baltic Timber again");
    await press("Allow and install");
    await said("Pipedrive is connected.");
    assertEquals((await connection())[0]?.id, before?.id);
  });

  await step("a second account stands beside the first", async () => {
    await press("Connect another account");
    await page.getByRole("radio", { name: "Inês Duarte" }).check();
    await press("Allow and install");
    await said("Several accounts are connected.");
    await examine(visit, page, "several");
    await press("Disconnect Harbour Coffee");
    await said("Pipedrive is connected.");
  });

  await step("she disconnects, and the focus is on what it says", async () => {
    await press("Disconnect Baltic Timber");
    await said("Pipedrive is disconnected.");
    assertEquals(await page.evaluate("document.activeElement.textContent"), "Pipedrive is disconnected.");
    await examine(visit, page, "disconnected");
  });

  await step("in a popup: closed by her it changes nothing, allowed by her it closes itself", async () => {
    await page.goto(`${stack.app_url}/?popup`);
    await said("Pipedrive is disconnected.");
    const closed = await popup();
    await said("Connecting…");
    await closed.close();
    await said("Pipedrive is disconnected.");
    const opened = await popup();
    const gone = opened.waitForEvent("close");
    await press("Allow and install", opened);
    await said("Pipedrive is connected.");
    await gone;
    assertEquals(page.url(), `${stack.app_url}/?popup`);
    await press("Disconnect Baltic Timber");
    await said("Pipedrive is disconnected.");
  });

  await step("where the browser opens no window, she is told so", async () => {
    await page.evaluate("void (open = () => null)");
    await press("Connect Pipedrive");
    await page.getByRole("alert").getByText("Your browser blocked the window. Allow it for this page.")
      .waitFor();
  });

  await step("a hostile page that opens the popup's page is not told the ticket", async () => {
    const thief = await hostile(visit);
    const opened = thief.page.waitForEvent("popup");
    await thief.open(`${stack.app_url}/#oauth_ticket=stolen`, "oauth_popup");
    const popup = await opened;
    if (!popup.isClosed()) await popup.waitForEvent("close");
    // It is told what is meant for it.
    const other = thief.page.waitForEvent("popup");
    await thief.open(stack.app_url, "other");
    await (await other).evaluate("opener.postMessage('for anybody', '*')");
    await thief.page.waitForFunction("heard.length > 0");
    assertEquals(await thief.page.evaluate("heard"), ["for anybody"]);
    await thief.stop();
  });

  await step("nobody but the window that it opened tells the page a ticket", async () => {
    const thief = await hostile(visit);
    const opened = thief.page.waitForEvent("popup");
    await thief.open(`${stack.app_url}/?popup`, "victim");
    const victim = await opened;
    await said("Pipedrive is disconnected.", victim);
    const consent = victim.waitForEvent("popup");
    await press("Connect Pipedrive", victim);
    const forged = `{ oauth_popup: { of: "oauth_ticket", value: "the thief's" } }`;
    await victim.evaluate(
      "window.heard = []; addEventListener('message', ({ origin }) => heard.push(origin))",
    );
    await thief.page.evaluate(`victim.postMessage(${forged}, "*")`);
    await victim.evaluate(`postMessage(${forged}, location.origin)`);
    // From the window it opened, which is still somebody else's page.
    await (await consent).getByRole("button", { name: "Cancel" }).waitFor();
    await (await consent).evaluate(`opener.postMessage(${forged}, "*")`);
    await victim.waitForFunction("heard.length === 3");
    const before = visit.sentTo("/functions/v1/oauth-callback/pipedrive/complete");
    await press("Allow and install", await consent);
    await said("Pipedrive is connected.", victim);
    const after = visit.sentTo("/functions/v1/oauth-callback/pipedrive/complete");
    const sent = visit.traffic.filter((text) => text.includes("the thief's"));
    assertEquals([after - before, sent], [1, []]);
    await thief.stop();
  });

  await step("no token reached the browser", async () => {
    await visit.assertNothingLeaked(page, visit.requests.map((url) => new URL(url).origin).filter(isLocal));
    await visit.context.close();
  });
}

const isLocal = (origin: string) => new URL(origin).hostname === "127.0.0.1";

/** The template's own style sheet goes: what is examined is ours. */
async function examine(visit: Visit, page: Page, state: string): Promise<void> {
  await page.evaluate("document.querySelectorAll('style').forEach((sheet) => sheet.remove())");
  await visit.examine(page, state);
}

/** A page of somebody else's, at an origin of its own, which writes down what it is told. */
async function hostile(visit: Visit) {
  const script = `heard = []; addEventListener("message", ({ data }) => heard.push(data))`;
  const site = serve(0, () =>
    new Response(`<!doctype html><title>Thief</title><script>${script}</script>`, {
      headers: { "content-type": "text/html" },
    }));
  const page = await visit.context.newPage();
  await page.goto(site.origin);
  return {
    page,
    open: (url: string, name: string) => page.evaluate(`void (${name} = open("${url}", "${name}"))`),
    stop: async () => {
      await page.close();
      await site.stop();
    },
  };
}
