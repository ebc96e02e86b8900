import { join } from "node:path";
import { bootstrap } from "../../local/stack/bootstrap.ts";
import { createGateway } from "../../local/stack/gateway.ts";
import { keepKeys, type Keys } from "../../local/stack/keys.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { type Provider, startSandbox } from "../../local/stack/provider.ts";
import { openRest, type Rest } from "../../local/stack/rest.ts";
import { serve } from "../../local/stack/serve.ts";
import { Undo } from "../../local/stack/undo.ts";
import { UserTokens } from "../../local/stack/user_tokens.ts";
import { bootUploaded, type HostedFunction } from "./hosted_function.ts";
import { PROJECT_REF, type Secret, type Upload } from "./management_api.ts";

/** A project as Supabase hands it out: a database without tables, Auth, REST, a gateway, keys. */
export interface HostedProject {
  readonly api_url: string;
  readonly keys: Keys;
  /** For `db push --remote`. */
  readonly database_url: string;
  readonly provider: Provider;
  /** What its owner writes into the file for `secrets set`. */
  readonly env_file: string;
  /** Boots what was uploaded, each function in an empty folder of its own, with the secrets that were set. */
  deploy(uploads: Iterable<Upload>, secrets: readonly Secret[]): Promise<ReadonlyMap<string, HostedFunction>>;
}

/** The project, and behind it a sandbox of the provider. All of it ends with `work`. */
export async function withHostedProject(work: (project: HostedProject) => Promise<void>): Promise<void> {
  const undo = new Undo();
  try {
    const folder = await Deno.makeTempDir({ prefix: "hosted-" });
    undo.add(() => Deno.remove(folder, { recursive: true }));
    await work(await startProject(folder, undo));
  } finally {
    await undo.run();
  }
}

async function startProject(folder: string, undo: Undo): Promise<HostedProject> {
  const keys = await keepKeys(join(folder, "keys.json"));
  const functions = new Map<string, HostedFunction>();
  let gateway = (_: Request): Promise<Response> => Promise.reject(new Error("nothing is deployed"));
  const api = serve(0, (request) => gateway(request));
  undo.add(() => api.stop());
  const callback_url = `${api.origin}/functions/v1/oauth-callback`;
  const provider = await startSandbox(0, `${callback_url}/pipedrive`);
  undo.add(() => provider.stop());
  const { url, rest } = await startDatabase(keys, undo);

  return {
    api_url: api.origin,
    keys,
    database_url: `${url}?sslmode=disable`,
    provider,
    env_file: envFile({
      ...provider.env,
      TOKEN_ENCRYPTION_KEYS: keys.token_encryption_keys,
      APP_URL: api.origin,
      OAUTH_CALLBACK_URL: callback_url,
    }),
    async deploy(uploads, secrets) {
      const env = { ...platform(api.origin, keys), ...asVariables(secrets) };
      for (const upload of uploads) {
        const own = join(folder, upload.slug);
        const booted = await bootUploaded(upload, own, { ...env, SUPABASE_FUNCTION_SLUG: upload.slug });
        undo.add(() => booted.stop());
        functions.set(upload.slug, booted);
      }
      rest.forgetSchema();
      const names = [...functions.keys()];
      const forward = (name: string, path: string, request: Request) =>
        passOn(functions.get(name)?.origin + path, request);
      gateway = createGateway({ keys, rest, origin: api.origin, functions: { names, fetch: forward } });
      return functions;
    },
  };
}

async function startDatabase(keys: Keys, undo: Undo): Promise<{ url: string; rest: Rest }> {
  const server = await startPostgres();
  undo.add(() => server.stop());
  await bootstrap(server.url);
  const { publishable_key, secret_key, jwt_secret } = keys;
  const rest = await openRest({ database_url: server.url, publishable_key, secret_key, jwt_secret });
  undo.add(() => rest.close());
  return { url: server.url, rest };
}

/** What the platform itself sets (https://supabase.com/docs/guides/functions/secrets#default-secrets). */
function platform(api_url: string, keys: Keys): Record<string, string> {
  return {
    SUPABASE_URL: api_url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable_key }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret_key, cron: keys.cron_key }),
    SUPABASE_JWKS: JSON.stringify(new UserTokens(keys).jwks),
    SUPABASE_ANON_KEY: "legacy",
    SUPABASE_SERVICE_ROLE_KEY: "legacy",
    SUPABASE_DB_URL: `postgresql://postgres@db.${PROJECT_REF}.supabase.invalid:5432/postgres`,
    SB_REGION: "eu-central-1",
    SB_EXECUTION_ID: crypto.randomUUID(),
    DENO_DEPLOYMENT_ID: `${PROJECT_REF}_${crypto.randomUUID()}_1`,
  };
}

function envFile(variables: Record<string, string>): string {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join("");
}

function asVariables(secrets: readonly Secret[]): Record<string, string> {
  return Object.fromEntries(secrets.map(({ name, value }) => [name, value]));
}

function passOn(url: string, { method, headers, body }: Request): Promise<Response> {
  const sent = new Headers(headers);
  sent.set("accept-encoding", "identity");
  return fetch(url, { method, headers: sent, body, redirect: "manual" });
}
