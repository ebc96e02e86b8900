/** `deno task dev` from its outside: what it refuses, how it ends, and what a killed one leaves behind. */
import { join } from "node:path";
import type { Session } from "@supabase/supabase-js";
import { AppUser } from "../../local/stack/app_user.ts";
import { keepKeys } from "../../local/stack/keys.ts";
import { UserTokens } from "../../local/stack/user_tokens.ts";
import { controlOf, serveSandbox } from "../../local/sandbox/mod.ts";
import type { StackAddresses } from "../../local/stack/stack.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../tests/support/assert.ts";
import { mature } from "../../tests/support/own_stack.ts";
import { dev, startDev, withFolder } from "./dev_support.ts";

const ALLOWED_CLIENT = "9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d";

async function search({ functions_url }: StackAddresses, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${functions_url}/search-persons?term=an`, { headers });
  await response.body?.cancel();
  return response.status;
}

/** Whether anything answers at this address. */
async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch (error) {
    assert(error instanceof TypeError);
    return false;
  }
}

Deno.test("dev refuses what it does not understand, and says why", async () => {
  const cases = [
    [["--prot", "1"], "--prot"],
    [["--port", "eighty"], `--port is a number from 0 to 65535, not "eighty"`],
    [["--port", "70000"], `not "70000"`],
    [["--dir", ""], "--dir names a folder"],
    [
      ["--app-url", "localhost:5173"],
      `--app-url is an origin like http://localhost:5173, not "localhost:5173"`,
    ],
    [["--app-url", "http://localhost:5173/app"], 'not "http://localhost:5173/app"'],
    [["here"], "here"],
  ] as const;
  for (const [args, words] of cases) {
    const { code, stderr } = await dev(args).output();
    assertEquals([args, code], [args, 2]);
    assertStringIncludes(new TextDecoder().decode(stderr), words);
  }
});

Deno.test("dev says so when its port is taken", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await withFolder(async (dir) => {
    const { code, stderr } = await dev(["--dir", dir, "--port", String(port)]).output();
    assertEquals(code, 1);
    assertStringIncludes(new TextDecoder().decode(stderr), `Port ${port} is taken`);
  });
  listener.close();
});

/** A search and a refresh, with the login of an earlier run: the connection made then works at both. */
async function goesOn(stack: StackAddresses, session: Session): Promise<void> {
  const user = new AppUser(stack);
  assertEquals((await user.supabase.auth.setSession(session)).error, null);
  assert((await user.search("an")).data.items.length > 0);
  const { data } = await user.supabase.from("oauth_connections").select();
  const [{ id: connection_id, status }] = data as [{ id: string; status: string }];
  await mature(stack);
  const { outcome } = await user.invoke<{ outcome: string }>("refresh-token", { connection_id, force: true });
  assertEquals([status, outcome], ["active", "refreshed"]);
  assert((await user.search("an")).data.items.length > 0);
}

Deno.test("after Ctrl-C, and after SIGKILL, the next run goes on where it was; SIGTERM ends it cleanly too", async () => {
  await withFolder(async (dir) => {
    const args = ["--dir", dir, "--port", "0"];
    const addresses = async () => JSON.parse(await Deno.readTextFile(join(dir, "stack.json")));

    const first = await startDev(args);
    const before = await addresses();
    const ana = await new AppUser(before).signUp("ana");
    await ana.connect(controlOf(before.provider_url));
    const { data: { session } } = await ana.supabase.auth.getSession();
    assert(session);
    first.child.kill("SIGINT");
    assertEquals((await first.child.status).code, 0);
    await first.printed();
    assertEquals((await Deno.stat(join(dir, "sandbox.json"))).mode! & 0o777, 0o600);

    const second = await startDev(args);
    await goesOn(await addresses(), session);
    second.child.kill("SIGKILL");
    await second.child.status;
    await second.printed();

    const { child, printed } = await startDev(args);
    const after = await addresses();
    assertEquals(after.secret_key, before.secret_key);
    assertEquals(await answers(before.api_url), false);
    assertEquals(await answers(after.app_url), true);
    await goesOn(after, session);

    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    assertMatch(await printed(), /Starting PostgreSQL[\s\S]*To begin:[\s\S]*Stopping/);
    for (const url of [after.api_url, after.app_url, after.provider_url]) {
      assertEquals([url, await answers(url)], [url, false]);
    }
    await assertRejects(() => Deno.stat(join(dir, "stack.json")), Deno.errors.NotFound);
  });
});

Deno.test("dev sends a user back to one's own application, and to its own page as ever", async () => {
  const own = "http://localhost:5173";
  await withFolder(async (dir) => {
    const { child, printed } = await startDev(["--dir", dir, "--port", "0", "--app-url", `${own}/`]);
    const stack: StackAddresses = JSON.parse(await Deno.readTextFile(join(dir, "stack.json")));
    const control = controlOf(stack.provider_url);
    for (const origin of [own, stack.app_url]) {
      const { supabase } = await new AppUser(stack).signUp("ana");
      const { data } = await supabase.functions.invoke("oauth-callback/pipedrive/authorize", {
        body: { return_to: "/settings" },
        headers: { origin },
      });
      const back = await fetch(await control.authorize(data), { redirect: "manual" });
      await back.body?.cancel();
      assertStringIncludes(back.headers.get("location") ?? "", `${origin}/settings#oauth_ticket=`);
    }
    child.kill("SIGINT");
    await child.status;
    assertStringIncludes(await printed(), `Your application    ${own}\n`);
  });
});

Deno.test("dev uses the authorization server that PIPEDRIVE_OAUTH_ORIGIN names, in place of its sandbox", async () => {
  const client = { client_id: "another-client", client_secret: "another-secret" };
  const provider = await serveSandbox(client);
  await withFolder(async (dir) => {
    const { child, printed } = await startDev(["--dir", dir, "--port", "0"], {
      PIPEDRIVE_OAUTH_ORIGIN: provider.origin,
      PIPEDRIVE_API_ORIGINS: provider.origin,
      PIPEDRIVE_CLIENT_ID: client.client_id,
      PIPEDRIVE_CLIENT_SECRET: client.client_secret,
      ALLOWED_OAUTH_CLIENT_IDS: ALLOWED_CLIENT,
    });
    const stack = JSON.parse(await Deno.readTextFile(join(dir, "stack.json")));
    assertEquals(stack.provider_url, provider.origin);

    await provider.control.register({ redirect_uri: `${stack.functions_url}/oauth-callback/pipedrive` });
    const user = await new AppUser(stack).signUp("ana");
    const connection = await user.connect(provider.control);
    assertEquals(connection.status, "active");
    assertEquals((await provider.control.counts()).requests["token:exchange"], 1);

    const tokens = new UserTokens(await keepKeys(join(dir, "keys.json")));
    const { data } = await user.supabase.auth.getClaims();
    for (const [client_id, status] of [[ALLOWED_CLIENT, 200], [crypto.randomUUID(), 401]] as const) {
      const token = await tokens.sign({ ...data?.claims, client_id });
      assertEquals([client_id, await search(stack, token)], [client_id, status]);
    }

    // As from a terminal: once from there, once passed on by `deno task`.
    child.kill("SIGINT");
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
    await assertRejects(() => Deno.stat(join(dir, "postgres", "away")), Deno.errors.NotFound);
    assert(!(await printed()).includes(client.client_secret));
  });
  await provider.stop();
});
