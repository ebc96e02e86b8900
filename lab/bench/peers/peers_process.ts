/**
 * Callers as they are without this project, in a process of their own: each finds the tokens in the database, sees that
 * they have expired, refreshes them, stores them, asks the API. The argument says by whose code, how many, and where.
 * Prints how many were answered.
 */
import postgres from "postgres";
import { Configuration, OAuth2Configuration, PersonsApi } from "pipedrive/v2";
import { AuthorizationCode } from "simple-oauth2";

export type Peer = "sdk" | "simple_oauth2" | "replaced";

export interface Told {
  readonly peer: Peer;
  readonly callers: number;
  readonly database_url: string;
  readonly provider_origin: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
}

/** As many as the callers of a small project's functions share. */
const POOL = 20;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

const told: Told = JSON.parse(Deno.args[0] ?? "");
const { provider_origin, client: { client_id, client_secret } } = told;
const sql = postgres(told.database_url, { max: POOL, onnotice: () => {} });

async function read(): Promise<Tokens & { readonly expired: boolean }> {
  const [row] = await sql<(Tokens & { expired: boolean })[]>`
    select access_token, refresh_token, expires_at <= now() as expired from public.bench_tokens`;
  if (row === undefined) throw new Error("the table has no tokens");
  return row;
}

async function store({ access_token, refresh_token }: Tokens): Promise<void> {
  await sql`update public.bench_tokens
    set access_token = ${access_token}, refresh_token = ${refresh_token}, expires_at = now() + interval '1 hour'`;
}

const CALLERS: Readonly<Record<Peer, () => () => Promise<void>>> = {
  /** One client for all callers of the process, which is the best that it can be given. */
  sdk: () => {
    const [clientId, clientSecret] = [client_id, client_secret];
    const oauth2 = new OAuth2Configuration({
      clientId,
      clientSecret,
      host: provider_origin,
      redirectUri: provider_origin,
    });
    const rest = { token_type: "Bearer", scope: "base", api_domain: provider_origin };
    const given = read().then(({ expired, ...tokens }) =>
      oauth2.updateToken({ ...tokens, ...rest, expires_in: expired ? -1 : 3_600 })
    );
    return async () => {
      await given;
      oauth2.onTokenUpdate ??= (tokens) => void store(tokens);
      const { getAccessToken: accessToken, basePath } = oauth2;
      await new PersonsApi(new Configuration({ accessToken, basePath })).searchPersons({ term: "jane" });
    };
  },
  simple_oauth2: () => {
    const client = new AuthorizationCode({
      client: { id: client_id, secret: client_secret },
      auth: { tokenHost: provider_origin, tokenPath: "/oauth/token" },
    });
    return async () => {
      const { expired, ...tokens } = await read();
      let token = client.createToken({ ...tokens, expires_in: expired ? -1 : 3_600 });
      if (token.expired()) {
        token = await token.refresh();
        await store(token.token as unknown as Tokens);
      }
      await search(String(token.token.access_token));
    };
  },
  /** What the replaced workflow does: read, check, refresh, write. */
  replaced: () => async () => {
    let tokens: Tokens & { expired?: boolean } = await read();
    if (tokens.expired) {
      const answer = await fetch(`${provider_origin}/oauth/token`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
        body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: tokens.refresh_token }),
      });
      tokens = await answer.json();
      if (!answer.ok) throw new Error("the refresh was refused");
      await store(tokens);
    }
    await search(tokens.access_token);
  },
};

async function search(access_token: string): Promise<void> {
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await fetch(`${provider_origin}/api/v2/persons/search?term=jane`, { headers });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
}

const call = CALLERS[told.peer]();
const outcomes = await Promise.allSettled(Array.from({ length: told.callers }, call));
console.log(JSON.stringify({ answered: outcomes.filter(({ status }) => status === "fulfilled").length }));
await sql.end();
