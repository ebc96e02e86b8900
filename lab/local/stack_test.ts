/** The local stack as a person or a program uses it: the real client, the addresses in `stack.json`, two at once. */
import { join } from "node:path";
import { createRemoteJWKSet, decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { writeWhole } from "../../local/stack/process.ts";
import { type Stack, type StackOptions, startStack } from "../../local/stack/stack.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "../../tests/support/assert.ts";

const ADDRESSES = [
  "api_url",
  "app_url",
  "database_url",
  "functions_url",
  "provider_url",
  "publishable_key",
  "secret_key",
];
const ANA = { email: "ana@example.com", password: "correct horse" };

function clientOf(stack: Stack): SupabaseClient {
  return createClient(stack.api_url, stack.publishable_key, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
}

async function withStack<T>(options: StackOptions, work: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack(options);
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await Deno.makeTempDir();
  try {
    return await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Signs up and gives the access token. */
async function signUp(stack: Stack, credentials = ANA): Promise<string> {
  const { data, error } = await clientOf(stack).auth.signUp(credentials);
  assertEquals(error, null);
  assert(data.session, "signing up signs in at once, without an e-mail to be confirmed");
  return data.session.access_token;
}

/** A token of the right form, for an existing user, signed by somebody else who even names our key. */
async function forge(token: string): Promise<string> {
  const { kid = "" } = decodeProtectedHeader(token);
  const { privateKey } = await generateKeyPair("ES256");
  const claims = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  return await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid, typ: "JWT" }).sign(privateKey);
}

const get = (url: string, headers: Record<string, string>) => fetch(url, { headers });

Deno.test("a stack serves a user as a hosted project would", async (t) => {
  await withStack({}, async (stack) => {
    const token = await signUp(stack);
    const jwks_url = new URL(`${stack.api_url}/auth/v1/.well-known/jwks.json`);

    await t.step("a user who signed up signs in, and a wrong password does not", async () => {
      const right = await clientOf(stack).auth.signInWithPassword(ANA);
      const wrong = await clientOf(stack).auth.signInWithPassword({ ...ANA, password: "wrong horse" });
      assertEquals(right.data.user?.email, ANA.email);
      assertEquals(wrong.error?.code, "invalid_credentials");
    });

    await t.step("the published keys verify the user's token, and hold no private part", async () => {
      const keys = createRemoteJWKSet(jwks_url);
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: `${stack.api_url}/auth/v1`,
      });
      assertEquals([protectedHeader.alg, payload.role, payload.email], ["ES256", "authenticated", ANA.email]);
      assert(!(await (await fetch(jwks_url)).text()).includes('"d"'));
    });

    await t.step("the client reads claims, the user, and a session renewed, with these tokens", async () => {
      const client = clientOf(stack);
      const { data: { session } } = await client.auth.signInWithPassword(ANA);
      const claims = await client.auth.getClaims();
      const user = await client.auth.getUser();
      const renewed = await client.auth.refreshSession();
      assertEquals(claims.data?.claims.sub, session?.user.id);
      assertEquals(user.data.user?.email, ANA.email);
      assertEquals(decodeProtectedHeader(renewed.data.session?.access_token ?? "").alg, "ES256");
    });

    await t.step("a forged token opens neither REST nor Auth nor a function", async () => {
      const headers = { apikey: stack.publishable_key, authorization: `Bearer ${await forge(token)}` };
      const rest = await get(`${stack.api_url}/rest/v1/oauth_connections`, headers);
      const auth = await get(`${stack.api_url}/auth/v1/user`, headers);
      const search = await get(`${stack.functions_url}/search-persons?term=an`, headers);
      assertEquals([rest.status, (await rest.json()).code], [401, "PGRST301"]);
      assertEquals([auth.status, (await auth.json()).error_code], [403, "bad_jwt"]);
      assertEquals([search.status, (await search.json()).code], [401, "INVALID_JWT"]);
    });

    await t.step("an HS256 token is refused too, whatever it was signed with", async () => {
      const claims = { sub: crypto.randomUUID(), role: "service_role" };
      const hs256 = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
        .sign(new TextEncoder().encode("x".repeat(32)));
      const headers = { apikey: stack.publishable_key, authorization: `Bearer ${hs256}` };
      const response = await get(`${stack.api_url}/rest/v1/oauth_connections`, headers);
      assertEquals([response.status, (await response.json()).code], [401, "PGRST301"]);
    });

    await t.step("the publishable key alone reads no table, the secret key does", async () => {
      const path = `${stack.api_url}/rest/v1/oauth_connections?select=id`;
      const publishable = await get(path, { apikey: stack.publishable_key });
      const secret = await get(path, { apikey: stack.secret_key });
      const none = await get(path, {});
      assertEquals([publishable.status, (await publishable.json()).code], [401, "42501"]);
      assertEquals([secret.status, await secret.json()], [200, []]);
      assertEquals(none.status, 401);
      await none.body?.cancel();
    });

    await t.step("a browser on another origin is allowed to ask", async () => {
      const preflight = await fetch(`${stack.api_url}/rest/v1/oauth_connections`, {
        method: "OPTIONS",
        headers: { "access-control-request-headers": "apikey,authorization", origin: stack.app_url },
      });
      assertEquals([preflight.status, preflight.headers.get("access-control-allow-origin")], [200, "*"]);
      assertEquals(preflight.headers.get("access-control-allow-headers"), "apikey,authorization");
    });

    await t.step("an unknown function and an unknown path are not found", async () => {
      const unknown = await fetch(`${stack.functions_url}/no-such-function`);
      const elsewhere = await fetch(`${stack.api_url}/storage/v1/bucket`);
      assertEquals([unknown.status, (await unknown.json()).code], [404, "NOT_FOUND"]);
      assertEquals(elsewhere.status, 404);
      await elsewhere.body?.cancel();
    });

    await t.step("the page asks nobody but itself and the API", async () => {
      const page = await fetch(`${stack.app_url}/any/path`);
      const script = await fetch(`${stack.app_url}/supabase.js`);
      const config = await (await fetch(`${stack.app_url}/config.json`)).json();
      const policy = page.headers.get("content-security-policy") ?? "";
      assertMatch(await page.text(), /<script src="\/supabase.js"/);
      assertMatch(await script.text(), /createClient/);
      assertEquals(policy.match(/https?:[^\s;]+/g), [stack.api_url, stack.provider_url]);
      assertEquals(config, {
        api_url: stack.api_url,
        publishable_key: stack.publishable_key,
        sandbox_url: stack.provider_url,
      });
    });

    await t.step("a file outside the page's folder is not served", async () => {
      for (const path of ["/..%2fdeno.json", "/%2e%2e/deno.json", "/..%5cdeno.json", "/..%2flocal/keys.ts"]) {
        const response = await fetch(stack.app_url + path);
        assertEquals([path, response.status, await response.text()], [path, 404, "Not found\n"]);
      }
    });

    await t.step("a second stack beside it shares nothing with it", async () => {
      await withStack({}, async (other) => {
        for (const name of ADDRESSES) assertNotEquals(Reflect.get(stack, name), Reflect.get(other, name));
        const stranger = await clientOf(other).auth.signInWithPassword(ANA);
        assertEquals(stranger.error?.code, "invalid_credentials");
        const headers = { apikey: other.publishable_key, authorization: `Bearer ${token}` };
        const response = await get(`${other.api_url}/rest/v1/oauth_connections`, headers);
        assertEquals(response.status, 401);
        await response.body?.cancel();
      });
    });
  });
});

Deno.test("a stack with a folder keeps users, tokens, keys and the sandbox's grants between runs", async (t) => {
  await withFolder(async (dir) => {
    const file = join(dir, "stack.json");
    let token = "";
    let keys: string[] = [];
    const keysOf = (stack: Stack) => [stack.publishable_key, stack.secret_key];

    await withStack({ dir }, async (stack) => {
      token = await signUp(stack);
      keys = keysOf(stack);
      await stack.control?.grant();

      await t.step("stack.json has the seven addresses, for the owner's eyes only", async () => {
        const written = JSON.parse(await Deno.readTextFile(file));
        assertEquals(Object.keys(written).toSorted(), ADDRESSES);
        for (const name of ADDRESSES) assertEquals(written[name], Reflect.get(stack, name));
        for (const name of ["stack.json", "keys.json", "sandbox.json", "functions.env"]) {
          assertEquals((await Deno.stat(join(dir, name))).mode! & 0o777, 0o600);
        }
      });

      await t.step("a second stack on the same folder is refused, and the first goes on", async () => {
        await assertRejects(() => startStack({ dir }), Error, "A stack is already running");
        assert((await Deno.stat(file)).isFile);
      });
    });

    await t.step("stack.json is gone once the stack has stopped", async () => {
      await assertRejects(() => Deno.stat(file), Deno.errors.NotFound);
    });

    await t.step("the next run knows the user, and the token of the run before", async () => {
      await withStack({ dir }, async (stack) => {
        assertEquals(keysOf(stack), keys);
        assertEquals((await clientOf(stack).auth.signInWithPassword(ANA)).error, null);
        const user = await clientOf(stack).auth.getUser(token);
        assertEquals(user.data.user?.email, ANA.email);
        assertEquals((await stack.control?.installations())?.length, 1);
      });
    });

    await t.step("a fresh run knows nothing of it", async () => {
      await withStack({ dir, fresh: true }, async (stack) => {
        assertNotEquals(keysOf(stack), keys);
        const unknown = await clientOf(stack).auth.signInWithPassword(ANA);
        assertEquals(unknown.error?.code, "invalid_credentials");
        assertEquals(await stack.control?.installations(), []);
      });
    });
  });
});

Deno.test("a file is written whole or left as it was, and nobody else reads it", async () => {
  await withFolder(async (dir) => {
    const file = join(dir, "kept.json");
    writeWhole(file, "before");
    await Deno.mkdir(`${file}.partial`);
    assertThrows(() => writeWhole(file, "after"), Deno.errors.IsADirectory);
    assertEquals(await Deno.readTextFile(file), "before");
    await Deno.remove(`${file}.partial`);
    writeWhole(file, "after");
    assertEquals([await Deno.readTextFile(file), (await Deno.stat(file)).mode! & 0o777], ["after", 0o600]);
  });
});
