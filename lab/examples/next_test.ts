/** A fresh Next.js application with the client: built, and clicked through from sign-up to a search on its server. */
import { assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { Visit, withBrowser } from "../browser/visit.ts";
import { FreshApp, SIGN_IN, SUPABASE_JS } from "./fresh_app.ts";

const CHOICES = ["--empty", "--ts", "--app", "--no-eslint", "--no-tailwind", "--no-src-dir", "--use-npm"];
const CREATE = ["create-next-app@16.4.3", "app", ...CHOICES, "--skip-install", "--disable-git", "--yes"];
const SIGN_IN_PAGE = `"use client";
import { createBrowserClient } from "@supabase/ssr";
import { useRouter } from "next/navigation";
import { SignIn } from "./settings/SignIn";

const supabase = createBrowserClient(
  process.env.NEXT_PUBLIC_SUPABASE_URL!,
  process.env.NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY!,
);

export default function Home() {
  const router = useRouter();
  return <SignIn supabase={supabase} onDone={() => router.push("/settings?tab=crm")} />;
}
`;

Deno.test("a fresh Next.js application connects, and searches on its server", async (t) => {
  await FreshApp.within(CREATE, [SUPABASE_JS, "@supabase/ssr@0.12.7"], async (app) => {
    await withBrowser(t, { app_url: app.origin }, async (stack, browser, step) => {
      app.env = {
        NEXT_PUBLIC_SUPABASE_URL: stack.api_url,
        NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY: stack.publishable_key,
      };
      await app.copyClient("app/settings");
      await app.copyBlock("app/settings/page.tsx");
      await app.copyBlock("app/persons/route.ts");
      await app.write("app/settings/SignIn.tsx", SIGN_IN);
      await app.write("app/page.tsx", SIGN_IN_PAGE);

      await step("its own build takes the client and the page's code as they are", async () => {
        assertMatch(await app.run("npm", ["run", "build"]), /\/persons[\s\S]*\/settings/);
      });
      await app.serve("next/dist/bin/next", ["start", "--hostname", "127.0.0.1"], async () => {
        const visit = await Visit.begin(browser, { ...stack, app_url: app.origin });
        const page = await visit.open();
        const said = (words: string) => page.getByRole("status").getByText(words, { exact: true }).waitFor();
        const press = (name: string) => page.getByRole("button", { name, exact: true }).click();

        await step("its server says that nobody is signed in", async () => {
          const answer = await page.request.get(`${app.origin}/persons?term=jane`);
          assertEquals([answer.status(), (await answer.json()).code], [401, "INVALID_API_KEY"]);
        });

        await step("she signs up, connects, and is back where she was", async () => {
          await page.getByLabel("E-mail").fill("ana@example.com");
          await press("Sign up");
          await said("Pipedrive is not connected.");
          await press("Connect Pipedrive");
          await press("Allow and install");
          await said("Pipedrive is connected.");
          assertEquals(page.url(), `${app.origin}/settings?tab=crm`);
        });

        await step("she searches, and so does the server in her name", async () => {
          await page.getByLabel("Name").fill("jane doe");
          await press("Search");
          await page.getByRole("listitem").getByText("Jane Doe").waitFor();
          const answer = await page.request.get(`${app.origin}/persons?term=jane%20doe`);
          assertEquals((await answer.json()).data.items[0].item.name, "Jane Doe");
        });

        await step("no token reached the browser", async () => {
          await visit.assertNothingLeaked(page);
          await visit.context.close();
        });
      });
    });
  });
});
