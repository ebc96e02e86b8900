import { assert, assertEquals } from "../support/assert.ts";
import { foreignToken, PROJECT, unsignedToken, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

const SETTINGS = [
  "PIPEDRIVE_CLIENT_ID",
  "PIPEDRIVE_CLIENT_SECRET",
  "TOKEN_ENCRYPTION_KEYS",
  "APP_URL",
  "OAUTH_CALLBACK_URL",
];

for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);
for (const name of SETTINGS) Deno.env.delete(name);

const folder = new URL("../../supabase/functions/", import.meta.url);
const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== "_shared")
  .sort();

async function call(name: string, path: string, init: RequestInit) {
  const { default: { fetch } } = await import(new URL(`${name}/index.ts`, folder).href);
  return await logging<Response>(() =>
    fetch(new Request(`http://localhost/functions/v1/${name}${path}`, init))
  );
}

for (const name of names) {
  Deno.test(`${name} lets no forged token in, on whatever path and by whatever method`, async () => {
    const expired = await userToken({ exp: 1 });
    for (const token of [unsignedToken(), await foreignToken(), expired]) {
      for (const path of ["", "/pipedrive", "/pipedrive/authorize", "/x"]) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const { result, text } = await call(name, path, {
            method,
            headers: { authorization: `Bearer ${token}` },
          });
          assertEquals([result.status, (await result.json()).code], [401, "INVALID_JWT"]);
          assert(result.headers.has("x-request-id"));
          assert(!text.includes(token));
        }
      }
    }
  });

  Deno.test(`${name} answers a preflight`, async () => {
    const { result } = await call(name, "/pipedrive", { method: "OPTIONS" });
    assertEquals(result.status, 204);
  });
}

Deno.test("settings that are missing are named on the request that needs them, all at once", async () => {
  const { result, lines } = await call("search-persons", "?term=jane", {
    headers: { authorization: `Bearer ${await userToken()}` },
  });
  const { code, message } = await result.json();
  assertEquals([result.status, code], [500, "CONFIGURATION_INVALID"]);
  for (const name of SETTINGS) assert(message.includes(`${name} is not set`), message);
  assertEquals(lines[0]?.reason, message);
});
