/** Another provider is a file of data: the functions connect, refresh and end it without a line of their own for it. */
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import { callApi } from "../../supabase/functions/_shared/use/call_api.ts";
import type { Wiring } from "../../supabase/functions/_shared/wiring.ts";
import { routes } from "../../supabase/functions/oauth-callback/routes.ts";
import { refreshToken } from "../../supabase/functions/refresh-token/handler.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { json, respondWith, type SentRequest } from "../support/fake_fetch.ts";
import { madeUp } from "../support/made_up_provider.ts";
import { makeContext } from "../support/context.ts";
import { makeClient } from "../support/make.ts";
import { PROJECT, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

const FUNCTIONS = "https://project.supabase.co/functions/v1";
const USER = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
const client = makeClient({ provider: madeUp, redirect_uri: `${FUNCTIONS}/oauth-callback/made-up` });

/**
 * The authorization server and the API that `made_up_provider.ts` describes: PKCE is demanded and checked (RFC 7636
 * §4.6), a code works once, a refresh brings no new refresh token (RFC 6749 §6).
 */
function madeUpServer() {
  const codes = new Map<string, URLSearchParams>();
  let issued = 0;
  const fetch = respondWith(async (request) => {
    if (request.url === madeUp.token_endpoint) return json(...await token(new URLSearchParams(request.body)));
    assertEquals(new URL(request.url).origin, madeUp.api.default_origin);
    return authorized(request) ? api(new URL(request.url)) : json({ error: "expired" }, 401);
  });

  const token = async (form: URLSearchParams): Promise<[unknown, number?]> => {
    if (form.get("client_secret") !== client.client_secret) return [{ error: "invalid_client" }, 401];
    const known = form.get("grant_type") === "refresh_token"
      ? form.get("refresh_token") === "for ever" && form.get("type") === "refresh"
      : await provesPossession(form) && form.get("audience") === "api";
    if (!known) return [{ error: "invalid_grant" }, 400];
    const access_token = `access-${++issued}`;
    const refresh_token = form.has("code") && { refresh_token: "for ever" };
    return [{ access_token, token_type: "Bearer", expires_in: 1800, ...refresh_token }];
  };
  const provesPossession = async (form: URLSearchParams) => {
    const asked = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const verifier = new TextEncoder().encode(form.get("code_verifier") ?? "");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", verifier));
    const challenge = btoa(String.fromCharCode(...digest));
    return asked?.get("code_challenge") ===
      challenge.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  const authorized = ({ headers }: SentRequest) => headers.get("authorization") === `Bearer access-${issued}`;
  const api = ({ pathname }: URL) =>
    pathname === "/me"
      ? json({ id: "u-7", profile: { name: "Mari", email: "mari@made-up.example" } })
      : json({ files: ["a.txt"] });

  return {
    fetch,
    /** The API accepts none of the tokens it knows: what was handed out last is over. */
    expire: () => void issued++,
    tokens: () => fetch.requests.filter(({ url }) => url === madeUp.token_endpoint).length,
    /** The user allows. */
    authorize(url: URL): URLSearchParams {
      const { searchParams: asked } = url;
      assertEquals([asked.get("tenant"), asked.get("scope")], ["all", "files:read offline_access"]);
      codes.set("code-1", asked);
      return new URLSearchParams({
        code: "code-1",
        state: asked.get("state") ?? "",
        iss: madeUp.issuer ?? "",
      });
    },
  };
}

Deno.test("a provider that is only a definition is connected, refreshed and called", async () => {
  await logging(async () => {
    const server = madeUpServer();
    const context = await makeContext({ client, fetch: server.fetch });
    const wiring: Wiring = {
      context: () => context,
      store: context.store,
      app_origins: ["https://app.example"],
      providers: [madeUp.name],
    };
    const wire = () => Promise.resolve(wiring);
    const callback = serve("oauth-callback", ["user", "none"], routes(wire));
    const refreshing = serve("refresh-token", ["user", "secret:*"], refreshToken(wire));
    const post = async (handle: typeof callback, path: string, body: unknown) => {
      const authorization = `Bearer ${await userToken({ sub: USER })}`;
      const headers = { authorization, "content-type": "application/json" };
      const request = new Request(FUNCTIONS + path, { method: "POST", headers, body: JSON.stringify(body) });
      const response = await handle(request);
      return { status: response.status, body: await response.json() };
    };

    const begun = await post(callback, "/oauth-callback/made-up/authorize", {});
    assertEquals(begun.status, 201);
    const answer = server.authorize(new URL(begun.body.authorization_url));
    const back = await callback(new Request(`${client.redirect_uri}?${answer}`));
    const ticket = new URLSearchParams(back.headers.get("location")?.split("#")[1]).get("oauth_ticket");
    const { binding } = begun.body;
    const completed = await post(callback, "/oauth-callback/made-up/complete", { ticket, binding });
    assertEquals(completed.status, 200);
    const { connection } = completed.body;
    assertEquals(connection.provider, "made-up");
    assertEquals(connection.account, { id: "u-7", name: "Mari", email: "mari@made-up.example" });
    assertEquals(connection.scope, ["files:read", "offline_access"]);

    server.expire();
    const call = { connection_id: connection.id, user_id: USER, path: "/files", query: {} };
    const files = await callApi(context, call);
    assertEquals(JSON.parse(new TextDecoder().decode(files.body)), { files: ["a.txt"] });
    assertEquals([files.attempts, files.version, server.tokens()], [2, 2, 2]);

    const forced = await post(refreshing, "/refresh-token", { connection_id: connection.id, force: true });
    assertEquals([forced.status, forced.body.outcome, server.tokens()], [200, "refreshed", 3]);

    const ended = await post(callback, "/oauth-callback/made-up/disconnect", {
      connection_id: connection.id,
    });
    assertEquals([ended.status, ended.body.connection.status], [200, "disconnected"]);
    assert(!JSON.stringify([begun, completed, forced, ended]).includes("access-"), "no answer holds a token");
  });
});
