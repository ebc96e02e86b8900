/** The examples, run against the whole stack. Every answer on the way is what docs/openapi.json says. */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import * as pipedrive from "../../examples/typescript/pipedrive.ts";
import type { Connection } from "../../supabase/functions/_shared/keep/store.ts";
import { Contract, watching } from "../support/open_api.ts";
import { CODES } from "../../supabase/functions/_shared/errors.ts";
import { type OwnStack, withStack } from "../../tests/support/own_stack.ts";
import type { Database } from "../../supabase/functions/_shared/keep/database.types.ts";
import { codeBlocks, read } from "../support/pages.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { arriveAt, leave } from "./tab.ts";
import { readWorkflow, runFrom } from "./n8n.ts";

Deno.test("the examples run", async (t) => {
  await withStack({}, async (stack) => {
    const { control, functions_url } = stack;
    const contract = await Contract.read();
    const troubles: string[] = [];
    const watched = watching(contract, functions_url, troubles);
    const supabase = await signedUp(stack, watched);
    await control.configure({ search_burst: null });

    await t.step("TypeScript: connect and complete, in the tab that began", async () => {
      assertEquals(await pipedrive.complete(supabase), null);
      const url = await landing(stack, await pipedrive.connect(supabase, { return_to: "/settings" }));
      const address = arriveAt(url);
      // As React's strict mode does.
      const [connection, again] = await Promise.all([
        pipedrive.complete(supabase),
        pipedrive.complete(supabase),
      ]);
      assert(connection);
      assertEquals(again, connection);
      assertEquals(address(), `${stack.app_url}/settings`);
      assertEquals(connection.account.name, "Baltic Timber");
      assertEquals(await pipedrive.connections(supabase), [connection]);
      assertEquals([sessionStorage.length, await pipedrive.complete(supabase)], [0, null]);
    });
    const [connection] = await pipedrive.connections(supabase);
    assert(connection);

    await t.step("TypeScript: a refusal at Pipedrive is an error with its code", async () => {
      arriveAt(await landing(stack, await pipedrive.connect(supabase), true));
      const refused = await assertRejects(() => pipedrive.complete(supabase), pipedrive.PipedriveError);
      assertEquals([refused.code, refused.status], ["AUTHORIZATION_DENIED", 0]);
    });

    await t.step("TypeScript: a ticket in another tab is refused", async () => {
      arriveAt(await landing(stack, await pipedrive.connect(supabase)));
      sessionStorage.clear();
      const refused = await assertRejects(() => pipedrive.complete(supabase), pipedrive.PipedriveError);
      assertEquals([refused.code, refused.status], ["AUTHORIZATION_REQUEST_INVALID", 400]);
      leave();
    });

    await t.step("TypeScript: a server begins for its user, and names where to come back to", async () => {
      const { authorization_url, binding } = await pipedrive.begin(supabase, {
        return_to: `${stack.app_url}/settings?tab=crm#/accounts`,
      });
      sessionStorage.setItem("oauth_binding", binding);
      const address = arriveAt(await landing(stack, authorization_url));
      assertEquals((await pipedrive.complete(supabase))?.id, connection.id);
      assertEquals(address(), `${stack.app_url}/settings?tab=crm#/accounts`);
      leave();
    });

    await t.step("TypeScript: search, and all pages one after the other", async () => {
      const page = await pipedrive.search(supabase, { term: "an", limit: 100 });
      const names = [];
      for await (const { id } of pipedrive.searchAll(supabase, { term: "an", limit: 20 })) names.push(id);
      assert(names.length > 40);
      assertEquals(names, page.data.items.map(({ item }) => item.id));
    });

    await t.step("TypeScript: an error has code, status and when to come back", async () => {
      const invalid = await assertRejects(
        () => pipedrive.search(supabase, { term: "" }),
        pipedrive.PipedriveError,
      );
      assertEquals([invalid.code, invalid.status, invalid.retry_after], ["INVALID_REQUEST", 400, undefined]);
      await control.fail_next({ on: "search", how: "403_scope" });
      const forbidden = await assertRejects(
        () => pipedrive.search(supabase, { term: "an" }),
        pipedrive.PipedriveError,
      );
      assertEquals([forbidden.code, forbidden.status], ["PROVIDER_FORBIDDEN", 403]);
      await control.fail_next({ on: "search", how: "429", retry_after: 60 });
      const limited = await assertRejects(
        () => pipedrive.search(supabase, { term: "an" }),
        pipedrive.PipedriveError,
      );
      assertEquals([limited.code, limited.status, limited.retry_after], ["PROVIDER_RATE_LIMITED", 429, 60]);
      const waited: number[] = [];
      await control.fail_next({ on: "search", how: "429", retry_after: 60 });
      const found = await pipedrive.patiently(() => pipedrive.search(supabase, { term: "an" }), {
        sleep: (ms) => Promise.resolve(void waited.push(ms)),
      });
      assertEquals([waited, found.data.items.length > 0], [[60_000], true]);
    });

    await t.step("TypeScript: where no answer comes, that has a code too", async () => {
      const nowhere = clientOf("http://127.0.0.1:9", "sb_publishable_x");
      const lost = await assertRejects(
        () => pipedrive.search(nowhere, { term: "an" }),
        pipedrive.PipedriveError,
      );
      assertEquals([lost.code, lost.status], ["UNREACHABLE", 0]);
    });

    await t.step("TypeScript: a signal ends every call with its own reason", async () => {
      const reason = new Error("not wanted any more");
      const signal = AbortSignal.abort(reason);
      const calls = [
        () => pipedrive.begin(supabase, { signal }),
        () => pipedrive.search(supabase, { term: "an" }, { signal }),
        () => pipedrive.searchAll(supabase, { term: "an" }, { signal }).next(),
        () => pipedrive.call(supabase, "GET", "api/v2/deals/7", { signal }),
        () => pipedrive.connections(supabase, { signal }),
        () => pipedrive.disconnect(supabase, connection.id, { signal }),
        () => pipedrive.patiently(() => Promise.reject(limited()), { signal }),
      ];
      for (const call of calls) {
        assertEquals([call.toString(), await call().catch((e) => e)], [call.toString(), reason]);
      }
    });

    await t.step("TypeScript: with a secret key, a server names the connection", async () => {
      const server = clientOf(stack.api_url, stack.secret_key, watched);
      const page = await pipedrive.search(server, { term: "jane doe", connection_id: connection.id });
      assertEquals(page.data.items.map(({ item }) => item.name), ["Jane Doe"]);
      const closed = await assertRejects(
        () =>
          pipedrive.call(clientOf(stack.api_url, stack.secret_key), "GET", "api/v2/deals/7", {
            connection_id: connection.id,
          }),
        pipedrive.PipedriveError,
      );
      assertEquals([closed.code, closed.status], ["REQUEST_NOT_ALLOWED", 403]);
    });

    const env = {
      SUPABASE_URL: stack.api_url,
      SUPABASE_SECRET_KEY: stack.secret_key,
      CONNECTION_ID: connection.id,
      ACCESS_TOKEN: (await supabase.auth.getSession()).data.session?.access_token ?? "",
    };

    await t.step("cron: the script finds by secret key, and ends with the code where it cannot", async () => {
      const script = new URL("../../examples/cron/search.ts", import.meta.url).pathname;
      const found = await ended(Deno.execPath(), ["run", "-A", "--quiet", script, "jane"], env);
      assertEquals(found.code, 0, found.output);
      assertMatch(found.output, /^\d+\tJane Doe\t/m);
      const none = { ...env, CONNECTION_ID: crypto.randomUUID() };
      const refused = await ended(Deno.execPath(), ["run", "-A", "--quiet", script, "jane"], none);
      assertEquals(refused.code, 1);
      assertMatch(refused.output, /CONNECTION_NOT_FOUND: .* \(request [0-9a-f-]{36}\)/);
    });

    await t.step("n8n: the old body finds the person, with the key from n8n's credentials", async () => {
      const around = {
        settings: { supabase_url: stack.api_url, connection_id: connection.id },
        header: { name: "apikey", value: stack.secret_key },
      };
      const [jane] = (await pipedrive.search(supabase, { term: "jane doe" })).data.items;
      const email = jane?.item.emails?.[0];
      assert(email);
      const workflow = await readWorkflow("search-persons");
      const answer = await runFrom(workflow, "Webhook", { body: { person: { email } } }, around);
      assertEquals(answer.status, 200);
      const found: pipedrive.Page = JSON.parse(String(answer.body));
      assertEquals(found.data.items.map(({ item }) => item.id), [jane.item.id]);
      const sent = (await control.journal()).findLast(({ kind }) => kind === "search");
      assertEquals(sent?.query, { term: email, fields: "email", exact_match: "true" });

      for (const body of [{ person: {} }, {}, undefined]) {
        const without = await runFrom(workflow, "Webhook", { body }, around);
        const { code, message } = JSON.parse(String(without.body));
        assertEquals([without.status, code, /term/.test(message)], [400, "INVALID_REQUEST", true]);
      }

      const listed = await runFrom(await readWorkflow("connect"), "Check", {}, around);
      const [first] = listed.items as Connection[];
      assertEquals([first?.id, first?.status], [connection.id, "active"]);
    });

    await t.step("curl: every command of the page", async () => {
      const commands = (await codeBlocks("terminal.md", "sh")).filter((block) => block.includes("curl "));
      assertEquals(commands.length, 5);
      for (const command of commands) {
        const { code, output } = await ended("bash", ["-c", command], env);
        assertEquals([code, output.includes('"code"')], [0, false], `${command}\n${output}`);
        assert(JSON.parse(output));
      }
    });

    await t.step("TypeScript: disconnect; what follows says that nothing is connected", async () => {
      assertEquals((await pipedrive.disconnect(supabase, connection.id)).status, "disconnected");
      const gone = await assertRejects(
        () => pipedrive.search(supabase, { term: "an" }),
        pipedrive.PipedriveError,
      );
      assertEquals([gone.code, gone.status], ["CONNECTION_NOT_FOUND", 404]);
    });

    await t.step("every answer on the way was one that docs/openapi.json describes", async () => {
      const anonymous = await watched(`${functions_url}/search-persons?term=an`);
      const swept = await watched(`${functions_url}/refresh-token`, {
        method: "POST",
        headers: { apikey: stack.secret_key, "content-type": "application/json" },
        body: "{}",
      });
      const bare = await watched(`${functions_url}/oauth-callback/pipedrive`);
      assertEquals([anonymous.status, swept.status, bare.status], [401, 200, 200]);
      for (const { body } of [anonymous, swept, bare]) await body?.cancel();
      assertEquals(troubles, []);
      assertMatch(contract.trouble("GET", "/search-persons", 418, {}) ?? "", /must have required property/);
      assertMatch(contract.trouble("GET", "/search-persons", 200, { items: [] }) ?? "", /required/);
    });
  });
});

Deno.test("an answer that is not ours is UNREACHABLE, with its status; the API's own words are passed on", async () => {
  const json = { "content-type": "application/json" };
  const html = { "content-type": "text/html" };
  const cases: [BodyInit | null, number, HeadersInit, string, string][] = [
    ["<h1>Bad gateway</h1>", 502, html, "UNREACHABLE", "non-2xx"],
    [null, 504, {}, "UNREACHABLE", "non-2xx"],
    ["{", 500, json, "UNREACHABLE", "non-2xx"],
    ["null", 500, json, "UNREACHABLE", "non-2xx"],
    ['{"message":"no Route matched"}', 404, json, "UNREACHABLE", "non-2xx"],
    ["<h1>Sign in to the hotel</h1>", 200, html, "UNREACHABLE", "not JSON"],
    ["{", 200, json, "UNREACHABLE", "JSON"],
    [
      '{"success":false,"error":"Deal not found","code":"ERR"}',
      404,
      json,
      "PROVIDER_REJECTED",
      "Deal not found",
    ],
  ];
  for (const [body, status, headers, code, words] of cases) {
    const answering = clientOf(
      "http://127.0.0.1:9",
      "sb_publishable_x",
      () => Promise.resolve(new Response(body, { status, headers })),
    );
    const ask = () => pipedrive.call(answering, "GET", "api/v2/deals/7");
    const error = await assertRejects(ask, pipedrive.PipedriveError);
    assertEquals([body, error.code, error.status], [body, code, status === 200 ? 0 : status]);
    assertMatch(error.message, new RegExp(words));
    if (status !== 502) continue;
    const list = await assertRejects(() => pipedrive.connections(answering), pipedrive.PipedriveError);
    assertEquals([list.code, list.status], ["UNREACHABLE", 502]);
  }
});

Deno.test("a call through proxy has its method, path, body and connection", async () => {
  const asked: unknown[] = [];
  const answering = clientOf("http://project", "sb_publishable_x", async (input, init) => {
    const request = new Request(input, init);
    asked.push(request.method, request.url, request.headers.get("x-connection-id"), await request.text());
    return Response.json({ data: { id: 7 } });
  });
  const answer = await pipedrive.call<{ data: { id: number } }>(answering, "PATCH", "api/v2/deals/7?a=b", {
    body: { title: "Beams" },
    connection_id: "one",
  });
  assertEquals(answer.data.id, 7);
  const url = "http://project/functions/v1/proxy/pipedrive/api/v2/deals/7?a=b";
  assertEquals(asked, ["PATCH", url, "one", '{"title":"Beams"}']);
});

Deno.test("the TypeScript on the page imports what the example exports", async () => {
  const blocks = [...await codeBlocks("front-end.md", "ts"), ...await codeBlocks("front-end.md", "tsx")];
  const names = blocks.flatMap((block) =>
    Array.from(
      block.matchAll(/^import \{ (.+) \} from "\.(?:\.\/settings)?\/pipedrive";$/gm),
      ([, list = ""]) => list.split(", ").filter((name) => !name.startsWith("type ")),
    )
  ).flat();
  assert(names.length > 10);
  for (const name of names) assert(name in pipedrive, name);
});

Deno.test("the example's types are what the functions answer", async () => {
  const same = (one: Connection): pipedrive.Connection => one;
  assert(same);
  const typed: SupabaseClient = clientOf("http://127.0.0.1:9", "x") satisfies SupabaseClient<Database>;
  assert(typed);
  const text = await read("examples/typescript/pipedrive.ts");
  const { components: { examples } } = JSON.parse(await read("docs/openapi.json"));
  const redirected = ["AUTHORIZATION_DENIED", "AUTHORIZATION_NOT_STARTED_HERE"];
  const own = ["UNREACHABLE", "POPUP_BLOCKED"];
  const codes = new Set([...Object.keys(CODES), ...Object.keys(examples), ...redirected, ...own]);
  const [, union = ""] = /^export type Code =([^;]+);/m.exec(text) ?? [];
  assertEquals(Array.from(union.matchAll(/"(\w+)"/g), ([, code]) => code).sort(), [...codes].sort());
});

Deno.test("hook and card for React have fewer than 120 lines together", async () => {
  const files = await Promise.all(
    ["usePipedrive.ts", "PipedriveCard.tsx"].map((name) => read(`examples/react/${name}`)),
  );
  assert(files.join("").trimEnd().split("\n").length < 120);
});

const limited = () =>
  new pipedrive.PipedriveError("PROVIDER_RATE_LIMITED", "slower", { status: 429, retry_after: 60 });

function clientOf(url: string, key: string, fetch?: typeof globalThis.fetch) {
  return createClient<Database>(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    ...(fetch && { global: { fetch } }),
  });
}

async function signedUp(stack: OwnStack, fetch: typeof globalThis.fetch): Promise<SupabaseClient> {
  const supabase = clientOf(stack.api_url, stack.publishable_key, fetch);
  const { error } = await supabase.auth.signUp({ email: "ana@example.com", password: crypto.randomUUID() });
  if (error) throw error;
  return supabase;
}

/** The browser's part: the address where it is back on the page. */
async function landing({ control }: OwnStack, authorization_url: string, deny = false): Promise<string> {
  const answer = await fetch(await control.authorize({ authorization_url, deny }), { redirect: "manual" });
  await answer.body?.cancel();
  return answer.headers.get("location") ?? "about:blank";
}

async function ended(command: string, args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env: { ...env, NO_COLOR: "1" } })
    .output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
