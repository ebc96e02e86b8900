import postgres from "postgres";
import { makeClient } from "../../../tests/support/make.ts";
import { IDS } from "./rows.ts";

/** One thing that the database is asked. */
export interface Call {
  readonly name: string;
  /** Who asks: what decides which rows are seen. */
  readonly role: "service_role" | "authenticated" | "postgres";
  /** For the connection of this number. */
  statement(of: Subject): string;
}

/** A connection that is asked about. */
export interface Subject {
  readonly id: string;
  readonly user_id: string;
  readonly account_key: string;
}

/** As many as each call that takes many is told to take. */
export const LIMIT = 10;
const SEAL = "v1.k2.iv.ciphertext";

/** By the names of arguments, which mean the same everywhere: so that a function is asked whatever its signature is. */
const VALUES: Readonly<Record<string, unknown>> = {
  p_access_refused: false,
  p_access_token_sealed: SEAL,
  p_account_email: "jane@acme.example",
  p_account_name: "Acme",
  p_attempt_id: "00000000-0000-4000-8000-000000000000",
  p_base_version: 1,
  p_binding_hash: "binding",
  p_class: "transient",
  p_client_fingerprint: "fingerprint",
  p_client_id: "client",
  p_code: "unavailable",
  p_code_sealed: SEAL,
  p_code_verifier_sealed: null,
  p_elapsed_ms: 0,
  p_authorization_expires_in_ms: 5_184_000_000,
  p_refresh_ahead_ms: null,
  p_age_ms: 0,
  p_exchange_ms: 0,
  p_expires_in_ms: 3_600_000,
  p_failed: false,
  p_force: false,
  p_idle_ms: 30 * 86_400_000,
  p_key_id: "k2",
  p_key_ids: ["k2"],
  p_lease_id: "00000000-0000-4000-8000-000000000000",
  p_lease_ms: 25_000,
  p_lifetime_ms: 600_000,
  p_limit: LIMIT,
  p_occurred_at: null,
  p_offered: ["pipedrive"],
  p_provider: "pipedrive",
  p_redirect_uri: "https://project.example/functions/v1/oauth-callback/pipedrive",
  p_refresh_token_sealed: SEAL,
  p_refresh_tokens_sealed: [SEAL],
  p_refreshable: true,
  p_refused: false,
  p_request_id: null,
  p_request_ms: 20_000,
  p_return_to: "https://app.example/",
  p_scope: "base",
  p_sealed: SEAL,
  p_seen_version: 0,
  p_settle_ms: 30_000,
  p_samples: LIMIT,
  p_ticket_hash: "ticket",
  p_wait_ms: 0,
};

/** The ways in which a function is asked, where it is not once and as above: a name, and what is another value then. */
const WAYS: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  oauth_claim_due: { "idle": {}, "failed": { p_failed: true } },
  oauth_claim_refresh: { "fresh": {}, "claimed": { p_seen_version: 1, p_force: true } },
  oauth_fail_refresh: {
    "another's lease": {},
    "refused without a code": { p_class: "unexplained", p_client_id: makeClient().client_id },
  },
  oauth_mark_unreadable: { "nothing is": { p_key_ids: ["k1"], p_ids: [], p_refresh_tokens_sealed: [] } },
  oauth_peek: {
    "the token not seen": {},
    "the token seen": { p_seen_version: 1 },
    "without a name": { p_id: null },
  },
  oauth_sealed_under_other_keys: { "nothing is": { p_key_ids: ["k1"] } },
};

/** What a page of the owner's and the operator ask, which are no functions. */
const VIEWS: readonly Call[] = [
  {
    name: "oauth_connections, an owner's",
    role: "authenticated",
    statement: () => "select * from public.oauth_connections",
  },
  {
    name: "oauth_events, an owner's newest",
    role: "authenticated",
    statement: () => `select * from public.oauth_events order by id desc limit ${LIMIT}`,
  },
  {
    name: "connection_health, of one",
    role: "postgres",
    statement: ({ id }) => `select * from oauth.connection_health where id = ${literal(id)}`,
  },
  { name: "provider_health", role: "postgres", statement: () => "select * from oauth.provider_health" },
];

/** Every function that the store may call, as the database has it, and the views. */
export async function allCalls(sql: postgres.Sql): Promise<Call[]> {
  const functions = await sql<{ name: string; args: string[] }[]>`
    select p.proname as name, coalesce(p.proargnames[1:p.pronargs], '{}') as args
      from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname like 'oauth\_%'
     order by 1`;
  const calls = functions.flatMap(({ name, args }) =>
    Object.entries(WAYS[name] ?? { "": {} }).map(([way, values]) =>
      callOf(way === "" ? name : `${name}, ${way}`, name, args, values)
    )
  );
  return [...calls, ...VIEWS];
}

function callOf(
  label: string,
  name: string,
  args: readonly string[],
  own: Readonly<Record<string, unknown>>,
): Call {
  const statement = ({ id, user_id, account_key }: Subject) => {
    const values = {
      ...VALUES,
      p_id: id,
      p_ids: [id],
      p_user_id: user_id,
      p_account_key: account_key,
      ...own,
    };
    const given = args.map((arg) => {
      const value = Object.entries(values).find(([named]) => named === arg);
      if (value === undefined) throw new Error(`lab/bench/sql/calls.ts has no value for ${arg} of ${name}`);
      return `${arg} => ${literal(value[1])}`;
    });
    return `select * from public.${name}(${given.join(", ")})`;
  };
  return { name: label, role: "service_role", statement };
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `'{${value.join(",")}}'`;
  return value === null ? "null" : `'${value}'`;
}

/** Connections spread over all that there are. */
export function subjects(sql: postgres.Sql, rows: number, count: number): Promise<Subject[]> {
  const step = Math.max(1, Math.floor(rows / count));
  return sql.unsafe(
    `select ${IDS.id} as id, ${IDS.user_id} as user_id, ${IDS.account_key} as account_key
       from generate_series(1, ${rows}, ${step}) n`,
  ).then((found) => [...found] as unknown as Subject[]);
}

/** Becomes who asks, until the transaction ends. */
export async function become(sql: postgres.Sql, { role }: Call, { user_id }: Subject): Promise<void> {
  await sql.unsafe(`set local role ${role}`);
  await sql`select set_config('request.jwt.claims', ${JSON.stringify({ sub: user_id, role })}, true)`;
}
