/** Another provider is a file of data: the functions connect, refresh and end it without a line of their own for it. */
import { digest } from "../../supabase/functions/_shared/keep/seal.ts";
import { callApi } from "../../supabase/functions/_shared/use/call_api.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { json, respondWith, type SentRequest } from "../support/fake_fetch.ts";
import { madeUp } from "../support/made_up_provider.ts";
import { makeClient } from "../support/make.ts";
import { MARI } from "../support/store.ts";
import { story } from "./stage.ts";
import { begin, complete } from "./steps.ts";

const redirect_uri = "https://project.supabase.co/functions/v1/oauth-callback/made-up";
const client = makeClient({ provider: madeUp, redirect_uri });

/**
 * The authorization server and the API that `made_up_provider.ts` describes: PKCE is demanded and checked (RFC 7636
 * §4.6), a code works once, a refresh brings no new refresh token (RFC 6749 §6).
 */
function madeUpServer() {
  const codes = new Map<string, URLSearchParams>();
  const verifiers: string[] = [];
  let issued = 0;
  const fetch = respondWith(async (request) => {
    if (request.url === madeUp.token_endpoint) return json(...await token(new URLSearchParams(request.body)));
    assertEquals(new URL(request.url).origin, madeUp.api.base);
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
    verifiers.push(form.get("code_verifier") ?? "");
    return asked?.get("code_challenge") === await digest(form.get("code_verifier") ?? "");
  };
  const authorized = ({ headers }: SentRequest) => headers.get("authorization") === `Bearer access-${issued}`;
  const api = ({ pathname }: URL) =>
    pathname === "/me"
      ? json({ id: "u-7", profile: { name: "Mari", email: "mari@made-up.example" } })
      : json({ files: ["a.txt"] });

  return {
    fetch,
    verifiers,
    /** The API accepts none of the tokens it knows: what was handed out last is over. */
    expire: () => void issued++,
    tokens: () => fetch.requests.filter(({ url }) => url === madeUp.token_endpoint).length,
    /** The user allows. */
    authorize(url: string): Record<string, string> {
      const { searchParams: asked } = new URL(url);
      assertEquals([asked.get("tenant"), asked.get("scope")], ["all", "files:read offline_access"]);
      codes.set("code-1", asked);
      return { code: "code-1", state: asked.get("state") ?? "", iss: madeUp.issuer ?? "" };
    },
  };
}

const server = madeUpServer();

story("a provider that is only a definition is connected, refreshed and called", async (stage) => {
  const begun = await begin(stage);
  const { iss, ...response } = server.authorize(begun.authorization_url);
  for (const wrong of [response, { ...response, iss: "https://evil.example" }]) {
    const { fragment } = await stage.callback(`?${new URLSearchParams(wrong)}`);
    assertEquals(fragment.get("oauth_error"), "AUTHORIZATION_REQUEST_INVALID");
  }
  const back = await stage.callback(`?${new URLSearchParams({ ...response, iss: iss ?? "" })}`);
  const ticket = back.fragment.get("oauth_ticket") ?? "";
  const stored = JSON.stringify(await stage.store.authorization(await digest(begun.state)));
  const completed = await complete(stage, { user: MARI, ticket, binding: begun.binding });
  assertEquals(completed.status, 200);
  const [verifier = ""] = server.verifiers;
  assert(verifier !== "" && !stored.includes(verifier) && !begun.authorization_url.includes(verifier));
  const { id, provider, account, scope } = completed.body.connection as Record<string, unknown>;
  assertEquals(provider, "made-up");
  assertEquals(account, { id: "u-7", name: "Mari", email: "mari@made-up.example" });
  assertEquals(scope, ["files:read", "offline_access"]);

  stage.clock.pause(10_001);
  server.expire();
  const connection_id = String(id);
  const call = { connection_id, user_id: MARI, path: "/files", query: {} };
  const files = await callApi(stage.context, call);
  assertEquals(await new Response(files.body).json(), { files: ["a.txt"] });
  assertEquals([files.attempts, files.version, server.tokens()], [2, 2, 2]);

  stage.clock.pause(10_001);
  const forced = await stage.refresh({ user: MARI, body: { connection_id, force: true } });
  assertEquals([forced.status, forced.body.outcome, server.tokens()], [200, "refreshed", 3]);

  const ended = await stage.callback("/disconnect", { user: MARI, body: { connection_id } });
  assertEquals([ended.status, (ended.body.connection as { status: string }).status], [200, "disconnected"]);
}, { client, fetch: server.fetch });
