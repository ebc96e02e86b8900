import { asFetch, createSandbox, type SandboxOptions, type Switches } from "../../local/sandbox/mod.ts";
import { assertEquals, assertExists } from "../../tests/support/assert.ts";

export const CALLBACK = "https://project.example/functions/v1/oauth-callback/pipedrive";
export const START = Date.UTC(2026, 2, 2, 12, 0, 0);
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
/** Mari in Baltic Timber, the sandbox's first account. */
export const MARI = "7100201:11";
const RIGHT = { authorization: `Basic ${btoa("sandbox-client:sandbox-secret")}` };

export interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  api_domain: string;
  scope: string;
}

/** A sandbox with a registered client and a clock that only moves when told to. */
export async function opened(switches: Partial<Switches> = {}, options: SandboxOptions = {}) {
  const sandbox = createSandbox({ redirect_uri: CALLBACK, now: () => START, ...options });
  await sandbox.control.configure(switches);
  const send = asFetch(sandbox);
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = RIGHT) =>
    send(`${sandbox.origin}${path}`, { method: "POST", headers, body: new URLSearchParams(fields) });
  return {
    sandbox,
    control: sandbox.control,
    send,
    post,
    token: (fields: Record<string, string>, headers?: Record<string, string>) =>
      post("/oauth/token", fields, headers),
    refresh: (refresh_token: string) => post("/oauth/token", { grant_type: "refresh_token", refresh_token }),
    exchange: (code: string, redirect_uri = CALLBACK) =>
      post("/oauth/token", { grant_type: "authorization_code", code, redirect_uri }),
    me: (token: string, origin = "https://baltictimber.pipedrive.com") =>
      send(`${origin}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } }),
    search: (token: string, query: Record<string, string>) =>
      send(`https://baltictimber.pipedrive.com/api/v2/persons/search?${new URLSearchParams(query)}`, {
        headers: { authorization: `Bearer ${token}` },
      }),
    /** The address a user is sent to. */
    authorizationUrl: (parameters: Record<string, string> = {}) => {
      const query = { client_id: "sandbox-client", redirect_uri: CALLBACK, state: "st&te=1", ...parameters };
      return `${sandbox.origin}/oauth/authorize?${new URLSearchParams(query)}`;
    },
  };
}

export type Opened = Awaited<ReturnType<typeof opened>>;

/** The tokens of a fresh installation. */
export async function installed({ control }: Opened, user: typeof MARI | number = MARI): Promise<Tokens> {
  const tokens = await control.grant({ user });
  assertExists(tokens.refresh_token);
  return tokens as Tokens;
}

/** The code that a user's consent brings back. */
export async function consented(pipedrive: Opened): Promise<string> {
  const location = await pipedrive.control.authorize({ authorization_url: pipedrive.authorizationUrl() });
  const code = new URL(location).searchParams.get("code");
  assertExists(code);
  return code;
}

export async function tokensOf(response: Response): Promise<Tokens> {
  assertEquals(response.status, 200);
  return await response.json();
}

/** Status, `error` and `message` of a refusal by the token endpoint. */
export async function refusal(response: Response) {
  const { success, error, message } = await response.json();
  assertEquals(success, false);
  return { status: response.status, error, message };
}

/** Reads the answer only for its status. */
export async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}
