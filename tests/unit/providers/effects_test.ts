/**
 * Nothing that a definition says is without effect: each of its fields is changed alone, and a whole life beside the same
 * server then leaves another trace. The fields are read from the schema, so that none is forgotten.
 */
import type * as v from "valibot";
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import type { Definition, Provider } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { asked } from "../../../supabase/functions/_shared/providers/asked.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { headersOf } from "../../../supabase/functions/_shared/providers/headers.ts";
import { shape } from "../../../supabase/functions/_shared/providers/shape.ts";
import { sweep } from "../../../supabase/functions/_shared/refresh/sweep.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { compile, judge } from "../../../supabase/functions/proxy/policy.ts";
import { assert, assertEquals, assertNotEquals } from "../../support/assert.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { makeClient } from "../../support/make.ts";
import { MARI } from "../../support/store.ts";

const DAY_MS = 86_400_000;
const BASE: Definition = {
  name: "acme",
  documentation: "https://acme.example/docs",
  authorization_endpoint: "https://id.acme.example/authorize",
  token_endpoint: "https://id.acme.example/token",
  revocation_endpoint: "https://id.acme.example/revoke",
  scopes: ["one", "two"],
  values: { region: { kind: "label", from: "user", default: "eu" } },
  account: { request: "/me", key: ["account:id"], name: "account:name", email: "account:email" },
  api: { base: "https://{region}.acme.example/api" },
};

type Answer = Readonly<Record<string, unknown>>;
/** What the provider answers. */
interface Server {
  readonly redirect: Readonly<Record<string, string>>;
  readonly issued: Answer;
  readonly refreshed: Answer;
  /** In the place of a refresh, with 400. */
  readonly refusal?: Answer;
  /** In turn; then 200. */
  readonly api: readonly [number, Answer, Record<string, string>?][];
}
const SERVER: Server = {
  redirect: { code: "c", iss: "https://id.acme.example", ticket: "t" },
  issued: {
    ...{ access_token: "a1", refresh_token: "r1", expires_in: 1800, scope: "one", at: 7_200, other: "B1" },
    ...{ refresh_for: 40 * 86_400, home: "https://home.acme.example" },
  },
  refreshed: { access_token: "a2", refresh_token: "r2", expires_in: 1800 },
  api: [],
};
const ACCOUNT = { id: 7, name: "Mari", email: "mari@acme.example", other: "o", region: "us" };

/** What a life leaves: every message, and what became of it. */
async function trace(provider: Provider, server: Server): Promise<readonly unknown[]> {
  const left: unknown[] = [];
  const script = [...server.api];
  const fetch = respondWith(({ method, url, headers, body }) => {
    left.push([method, url, [...headers], body]);
    if (/token|refresh/.test(new URL(url).pathname)) {
      if (!/refresh_token|again/.test(body + url)) return json(server.issued);
      return server.refusal ? json(server.refusal, 400) : json(server.refreshed);
    }
    if (url.includes("/me")) return json(ACCOUNT);
    const [status, answer, more] = script.shift() ?? [200, { ok: true }];
    return json(answer, status, more);
  });
  const client = makeClient({ provider, redirect_uri: "https://p.example/acme", client_secret: "s-1" });
  const context = await makeContext({ client, fetch });
  await context.store.user(MARI);
  const note = async (work: () => Promise<unknown>) =>
    left.push(
      await work().catch((error) =>
        error instanceof PublicError ? [error.code, error.details] : error.message
      ),
    );
  await note(() => lived(context, server, note));
  left.push(asked(provider), headersOf([provider], { methods: [], headers: [] }));
  left.push(judged(provider));
  return JSON.parse(JSON.stringify(left, (_, value) => typeof value === "string" ? bare(value) : value));
}

/** Without what is drawn anew in each life. */
function bare(text: string): string {
  return text.replace(/((?:state|code_challenge|code_verifier|nonce)=)[\w-]{43}/g, "$1…")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…").replace(/[\w-]+\.[\w-]+\.[\w-]{80,}/g, "jwt");
}

/** Columns that say when what is next. */
const KEPT = ["status", "access_expires_at", "refresh_after", "unsettled_until", "next_attempt_at"];

async function lived(
  context: TestContext,
  { redirect }: Server,
  note: (work: () => Promise<unknown>) => unknown,
) {
  const owner = { user_id: MARI, return_to: "https://app.example/" };
  const { authorization_url, binding } = await beginAuthorization(context, { ...owner });
  await note(() => Promise.resolve(authorization_url));
  const state = new URL(authorization_url).searchParams.get("state") ?? "";
  const back = new URLSearchParams({ ...redirect, state, s: state });
  const received = await receiveAuthorizationResponse(context, back);
  if (received.outcome !== "parked") return received.outcome;
  const { ticket } = received;
  const { id, created_at: _, updated_at: __, ...connection } = await completeAuthorization(context, {
    user_id: MARI,
    ticket,
    binding,
  });
  await note(() => Promise.resolve(connection));
  const call = async () => {
    const { headers, body, attempts } = await callApi(context, {
      connection_id: id,
      user_id: MARI,
      path: "/x",
    });
    return [[...headers], await new Response(body).text(), attempts, context.clock.now()];
  };
  const pauses = [10_000, 10_000, 1_500_000, 300_000, 40 * DAY_MS];
  for (const ms of pauses) {
    context.clock.pause(ms);
    await note(call);
    await context.background();
    const row: Readonly<Record<string, unknown>> = { ...await context.store.row(id) };
    await note(() => Promise.resolve(KEPT.map((column) => row[column])));
  }
  context.clock.pause(31 * DAY_MS);
  await note(() => sweep(context));
  await note(() =>
    disconnectConnection(context.store, { id, user_id: MARI, provider: "acme" }, () => context)
  );
  await context.background();
}

/** What the policy of an application makes of it. */
function judged(provider: Provider) {
  const users = { acme: ["GET /touch", ...Object.keys(provider.api.bases).map((base) => `GET ${base}:/x`)] };
  const lines = compile({ users, secret_keys: {} }, new Map([["acme", provider]]));
  const call = { caller: "user", provider: "acme", method: "GET", search: "" } as const;
  return [judge(lines, { ...call, path: "/touch" }), judge(lines, { ...call, base: "files", path: "/x" })];
}

const api = (more: Partial<Definition["api"]>): Partial<Definition> => ({ api: { ...BASE.api, ...more } });
const account = (more: object): Partial<Definition> => ({ account: { ...BASE.account, ...more } });
const region = (more: object) =>
  ({ values: { region: { ...BASE.values?.region, ...more } } }) as Partial<Definition>;
const response = (more: Definition["token_response"]): Partial<Definition> => ({ token_response: more });
const revocation = (more: object): Partial<Definition> => ({
  revocation_endpoint: { url: "https://id.acme.example/revoke", ...more },
});
const request = (more: object) => account({ request: { url: "/me", ...more } });
const limit = (more: object): Partial<Definition> => api({ rate_limit: more });
const limited: Partial<Server> = { api: [[429, {}, { "x-left": "0", "x-reset": "9", "x-more": "5" }]] };
const unclear: Partial<Server> = { refusal: { error: "server_error" } };
const home = { kind: "origin", from: "token:home", under: ["acme.example"] } as const;
const atHome = (more: object): Partial<Definition> => ({
  values: { ...BASE.values, home: { ...home, ...more } },
  api: { base: "{home}" },
});

/** By its path: the change, and where the server must be another one in both lives. A list is compared with its first. */
const FIELDS: Readonly<
  Record<string, readonly [Partial<Definition>, Partial<Server>?, Partial<Definition>?]>
> = {
  issuer: [{ issuer: "https://elsewhere.example" }],
  authorization_response_iss_parameter_supported: [
    { authorization_response_iss_parameter_supported: true },
    { redirect: { code: "c" } },
  ],
  authorization_endpoint: [{ authorization_endpoint: "https://id.acme.example/begin" }],
  token_endpoint: [{ token_endpoint: "https://id.acme.example/v2/token" }],
  refresh_endpoint: [{ refresh_endpoint: "https://id.acme.example/refresh" }],
  revocation_endpoint: [{ revocation_endpoint: "https://id.acme.example/v2/revoke" }],
  "revocation_endpoint.url": [revocation({ url: "https://id.acme.example/end" })],
  "revocation_endpoint.method": [revocation({ method: "DELETE" })],
  "revocation_endpoint.auth": [revocation({ auth: "bearer" })],
  "revocation_endpoint.format": [revocation({ format: "json" })],
  "revocation_endpoint.parameters": [revocation({ parameters: { access_token: "{access_token}" } })],
  code_challenge_methods_supported: [{ code_challenge_methods_supported: [] }],
  token_endpoint_auth_method: [{ token_endpoint_auth_method: "client_secret_post" }],
  basic_credentials: [{ basic_credentials: "raw" }],
  scopes: [{ scopes: ["one"] }],
  scope_separator: [{ scope_separator: "," }],
  authorization_parameters: [{ authorization_parameters: { audience: "api" } }],
  token_parameters: [{ token_parameters: { audience: "api" } }],
  refresh_parameters: [{ refresh_parameters: { audience: "api" } }],
  "redirect_parameters.code": [{ redirect_parameters: { code: "ticket" } }],
  "redirect_parameters.state": [{ redirect_parameters: { state: "missing" } }],
  token_request_format: [{ token_request_format: "json" }],
  token_request_headers: [{ token_request_headers: { "x-version": "2" } }],
  "token_response.access_token": [response({ access_token: "other" })],
  "token_response.refresh_token": [response({ refresh_token: "other" })],
  "token_response.expires_in": [response({ expires_in: "at" })],
  "token_response.scope": [response({ scope: "other" })],
  "token_response.refresh_token_expires_in": [response({ refresh_token_expires_in: "refresh_for" })],
  "token_response.token_type": [response({ token_type: "other" })],
  "token_response.error": [response({ error: "why" }), { refusal: { error: "x", why: "invalid_grant" } }],
  expires_in_is: [{ expires_in_is: "minutes" }],
  default_expires_in: [{ default_expires_in: 60 }, { issued: { ...SERVER.issued, expires_in: undefined } }],
  refresh_ahead: [{ refresh_ahead: 10 }],
  rotation: [{ rotation: "none" }],
  refresh_token_optional: [
    { refresh_token_optional: true },
    { issued: { ...SERVER.issued, refresh_token: undefined } },
  ],
  reuse_grace: [{ reuse_grace: 30 }, unclear],
  revokes_on_reuse: [{ revokes_on_reuse: false }, unclear],
  refresh_token_idle_lifetime: [{ refresh_token_idle_lifetime: 60 * 86_400 }],
  invalid_grant_synonyms: [{ invalid_grant_synonyms: ["gone"] }, { refusal: { error: "gone" } }],
  "values.*.kind": [
    region({ kind: "segment", from: "token:other" }),
    {},
    { ...region({ from: "token:other" }), api: { base: "https://acme.example/{region}" } },
  ],
  "values.*.from": [region({ from: "token:other" })],
  "values.*.under": [atHome({ under: ["elsewhere.example"] }), {}, atHome({})],
  "values.*.one_of": [atHome({ one_of: ["https://elsewhere.example"], under: undefined }), {}, atHome({})],
  "values.*.default": [region({ default: "us" })],
  "values.*.label": [region({ label: "Region" })],
  "account.request": [account({ request: "/v2/me" })],
  "account.request.url": [request({ url: "/v3/me" })],
  "account.request.method": [request({ method: "POST" })],
  "account.request.headers": [request({ headers: { "x-version": "2" } })],
  "account.request.body": [request({ method: "POST", body: { a: "{client_id}" } })],
  "account.request.format": [
    request({ method: "POST", body: { a: "b" }, format: "form" }),
    {},
    request({ method: "POST", body: { a: "b" } }),
  ],
  "account.key": [account({ key: ["account:id", "account:name"] })],
  "account.name": [account({ name: "account:other" })],
  "account.email": [account({ email: "account:other" })],
  "api.base": [api({ base: "https://{region}.acme.example/v2" })],
  "api.bases": [api({ bases: { files: "https://files.acme.example" } })],
  "api.headers": [api({ headers: { "x-token": "{access_token}" } })],
  "api.query": [api({ query: { version: "2" } })],
  "api.token_refused": [api({ token_refused: [403] }), { api: [[403, {}]] }],
  "api.failed": [api({ failed: [{ status: 200, path: "ok", is: [true] }] })],
  "api.rate_limit.signals": [limit({ signals: [403] }), { api: [[403, {}]] }],
  "api.rate_limit.reset": [limit({ reset: { "x-reset": "delta" } }), limited],
  "api.rate_limit.longest_reset": [
    limit({ reset: { "x-reset": "delta" }, longest_reset: 1 }),
    limited,
    limit({ reset: { "x-reset": "delta" } }),
  ],
  "api.rate_limit.spent.header": [
    limit({ spent: { header: "x-none", retry_after: 60 } }),
    limited,
    limit({ spent: { header: "x-left", retry_after: 60 } }),
  ],
  "api.rate_limit.spent.retry_after": [
    limit({ spent: { header: "x-left", retry_after: 90 } }),
    limited,
    limit({ spent: { header: "x-left", retry_after: 60 } }),
  ],
  "api.rate_limit.headers": [limit({ headers: ["x-more"] }), limited],
  "api.changing_gets": [api({ changing_gets: ["/touch"] })],
  "api.caller_headers": [api({ caller_headers: ["x-version"] })],
  "transform.token_response": [
    { transform: { because: "it nests", token_response: (body) => ({ ...body, scope: "three" }) } },
  ],
};

/** For people, what all is found by, and what a notice is read by (tests/functions/callback_notices_test.ts). */
const WITHOUT = new Set([
  "name",
  "documentation",
  "transform.because",
  "uninstall_notice.key",
  "uninstall_notice.occurred_at",
]);

for (const [path, [change, server = {}, before = {}]] of Object.entries(FIELDS)) {
  Deno.test(`"${path}" has an effect`, async () => {
    const answers = { ...SERVER, ...server };
    const same = await trace(define({ ...BASE, ...before }), answers);
    assertEquals(await trace(define({ ...BASE, ...before }), answers), same, "a life is the same each time");
    assertNotEquals(await trace(define({ ...BASE, ...before, ...change }), answers), same);
  });
}

type Schema = v.GenericSchema & {
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly wrapped?: Schema;
  readonly options?: readonly Schema[];
  readonly value?: Schema;
};

/** The paths of all that a definition may say, `*` for names of its own. */
function pathsIn(schema: Schema, path = ""): string[] {
  if (schema.wrapped) return pathsIn(schema.wrapped, path);
  if (schema.type === "record" && schema.value?.entries) return pathsIn(schema.value, `${path}.*`);
  const options = schema.type === "union" ? schema.options ?? [] : [];
  const within = options.flatMap((option) => option.entries ? pathsIn(option, path) : []);
  if (options.length > 0) return options.every(({ entries }) => entries) ? within : [path, ...within];
  if (!schema.entries) return [path];
  return Object.entries(schema.entries).flatMap(([key, own]) =>
    pathsIn(own, path === "" ? key : `${path}.${key}`)
  );
}

Deno.test("every field of the schema is among them", () => {
  const paths = pathsIn(shape as unknown as Schema).filter((path) => !WITHOUT.has(path));
  assert(paths.length > 60, paths.join());
  assertEquals(Object.keys(FIELDS).toSorted(), paths.toSorted());
});
