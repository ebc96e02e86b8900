/** `oidc-provider`, as strict as it can be set, in a process of its own. The argument: our client (`Registered`). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
// @ts-types="@types/oidc-provider"
import { type Configuration, Provider } from "oidc-provider";
import { Storage } from "./oidc_storage.ts";
import { answerApi } from "./place.ts";
import { present } from "./present.ts";
import type { Registered } from "./stranger.ts";

const JANE = { sub: "jane", name: "Jane", email: "jane@example.com" };
/** Seconds, for whatever nobody waits to see the end of. */
const LONG = 3_600;

async function configurationOf(
  { client_id, client_secret, redirect_uri }: Registered,
  storage: Storage,
  lifetime: () => number,
): Promise<Configuration> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return {
    adapter: storage.shelf,
    clients: [{
      client_id,
      client_secret,
      // Its redirect URIs on this machine are good at any port (RFC 8252 §7.3).
      application_type: "native",
      redirect_uris: [redirect_uri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    }],
    jwks: { keys: [{ ...await exportJWK(privateKey), kty: "RSA", alg: "RS256", use: "sig", kid: "1" }] },
    cookies: { keys: [crypto.randomUUID()] },
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ ...JANE, sub: accountId }) }),
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: lifetime,
      AuthorizationCode: LONG,
      Grant: LONG,
      IdToken: LONG,
      Interaction: LONG,
      RefreshToken: LONG,
      Session: LONG,
    },
  };
}

/** The pages to sign in and to consent, without the pages: jane signs in, and allows all that is asked. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return await provider.interactionFinished(request, response, { login: { accountId: JANE.sub } });
  }
  const given = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = given ?? new provider.Grant({ accountId: JANE.sub, clientId: String(params.client_id) });
  grant.addOIDCScope(String(params.scope));
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { consent });
}

async function isAccepted(provider: Provider, { headers }: IncomingMessage): Promise<boolean> {
  const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? "") ?? [];
  const found = token === undefined ? undefined : await provider.AccessToken.find(token);
  return found?.isValid ?? false;
}

// Its notices are for who runs it for good, and the first line that is printed here is an address.
console.info = () => {};
const registered: Registered = JSON.parse(Deno.args[0] ?? "");
await present(async (origin) => {
  const storage = new Storage();
  let lifetime = LONG;
  const provider = new Provider(origin, await configurationOf(registered, storage, () => lifetime));
  const answer = provider.callback();
  return {
    authorization_server: (request, response) =>
      request.url?.startsWith("/interaction/")
        ? interact(provider, request, response)
        : answer(request, response),
    api: async (request, response) =>
      request.url === "/me"
        ? await answer(request, response)
        : answerApi(request.url ?? "", await isAccepted(provider, request), response),
    grants: () => storage.grants(),
    end_grants: () => storage.end(),
    expire: () => storage.expire(),
    live_for: (seconds) => {
      lifetime = seconds;
    },
  };
});
