/** The functions as they are deployed, in a project whose settings nobody has made yet. */
import { assert, assertEquals } from "../support/assert.ts";
import {
  bearer,
  foreignToken,
  PUBLISHABLE_KEY,
  SECRET_KEYS,
  unsignedToken,
  userToken,
  WRONG_CLAIMS,
} from "./callers.ts";
import { logging } from "./log_lines.ts";

const SETTINGS = [
  "PIPEDRIVE_CLIENT_ID",
  "PIPEDRIVE_CLIENT_SECRET",
  "TOKEN_ENCRYPTION_KEYS",
  "APP_URL",
  "OAUTH_CALLBACK_URL",
];
for (const name of SETTINGS) Deno.env.delete(name);

const folder = new URL("../../supabase/functions/", import.meta.url);
/** Those that stand on our edge, a fork's own among them. */
const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter(standsOnOurs).sort();

function standsOnOurs(name: string): boolean {
  try {
    return Deno.readTextFileSync(new URL(`${name}/index.ts`, folder)).includes("../_shared/http/serve.ts");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

async function call(path: string, init: RequestInit) {
  const [name] = path.split(/[/?]/);
  const { default: { fetch } } = await import(new URL(`${name}/index.ts`, folder).href);
  return await logging<Response>(() => fetch(new Request(`http://localhost/functions/v1/${path}`, init)));
}

for (const name of names) {
  Deno.test(`${name} lets no forged token in, on whatever path and by whatever method`, async () => {
    for (const token of [unsignedToken(), await foreignToken(), await userToken({ exp: 1 })]) {
      for (const path of ["", "/pipedrive", "/pipedrive/authorize", "/x"]) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const { result, text } = await call(name + path, { method, headers: bearer(token) });
          assertEquals([result.status, (await result.json()).code], [401, "INVALID_JWT"]);
          assert(result.headers.has("x-request-id"));
          assert(!text.includes(token));
        }
      }
    }
  });

  Deno.test(`${name} lets no genuine token in that is not a user's own`, async () => {
    for (const [what, claims] of Object.entries(WRONG_CLAIMS)) {
      for (const [path, method] of [["", "GET"], ["/pipedrive/authorize", "POST"]] as const) {
        const headers = bearer(await userToken(claims));
        const { result, lines } = await call(name + path, { method, headers });
        const { code } = await result.json();
        assertEquals([result.status, code, lines[0]?.code], [401, "INVALID_CREDENTIALS", code], what);
      }
    }
  });

  Deno.test(`${name} answers a preflight`, async () => {
    assertEquals((await call(`${name}/pipedrive`, { method: "OPTIONS" })).result.status, 204);
  });
}

const doors: [string, string, HeadersInit, number, string?][] = [
  ["search-persons?term=jane", "nobody", {}, 401, "MISSING_CREDENTIALS"],
  ["search-persons?term=jane", "a publishable key", { apikey: PUBLISHABLE_KEY }, 401, "INVALID_API_KEY"],
  ["search-persons?term=jane", "a secret key", { apikey: SECRET_KEYS.default }, 500, "CONFIGURATION_INVALID"],
  [
    "search-persons?term=jane",
    "the schedule's key",
    { apikey: SECRET_KEYS.cron },
    401,
    "INVALID_CREDENTIALS",
  ],
  ["refresh-token", "nobody", {}, 401, "MISSING_CREDENTIALS"],
  ["refresh-token", "a publishable key", { apikey: PUBLISHABLE_KEY }, 401, "INVALID_API_KEY"],
  ["refresh-token", "a secret key", { apikey: SECRET_KEYS.default }, 500, "CONFIGURATION_INVALID"],
  ["refresh-token", "the schedule's key", { apikey: SECRET_KEYS.cron }, 500, "CONFIGURATION_INVALID"],
  ["oauth-callback/pipedrive?code=a&state=b", "nobody", {}, 500, "CONFIGURATION_INVALID"],
  ["oauth-callback/pipedrive", "nobody, with nothing to say", {}, 200],
];
for (const [path, who, headers, status, code] of doors) {
  Deno.test(`${path} asked by ${who} is ${code ?? "answered"} before there are settings`, async () => {
    const method = path === "refresh-token" ? "POST" : "GET";
    const { result, lines } = await call(path, { method, headers });
    assertEquals([result.status, (await result.json()).code, lines[0]?.code], [status, code, code]);
  });
}

Deno.test("settings that are missing are named on the request that needs them, all at once", async () => {
  const headers = bearer(await userToken());
  const { result, lines } = await call("search-persons?term=jane", { headers });
  const { code, message } = await result.json();
  assertEquals([result.status, code], [500, "CONFIGURATION_INVALID"]);
  const own = SETTINGS.filter((name) => !name.startsWith("PIPEDRIVE_"));
  for (const name of own) assert(message.includes(`${name} is not set`), message);
  assertEquals(lines[0]?.reason, message);
});
