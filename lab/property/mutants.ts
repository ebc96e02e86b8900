import type postgres from "postgres";
import type { Invariant } from "../support/invariants.ts";

/** One function of the migrations with a part exchanged for what one would write at first. */
export interface Mutant {
  /** Reads on from "…, is caught". */
  readonly name: string;
  readonly function: string;
  readonly replace: string;
  readonly by: string;
  /** The promises of which it breaks one. */
  readonly breaks: readonly (Invariant | "label")[];
  /** Under this seed it is caught within a few runs; under any other too, but later. */
  readonly seed: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "a commit that ignores the version",
    function: "public.oauth_commit_refresh",
    replace: "when v_connection.version = p_base_version then 'committed'",
    by: "when true then 'committed'",
    breaks: ["one version per write", "connecting and disconnecting win"],
    seed: 2,
  },
  {
    name: "a commit that only the present holder may make",
    function: "public.oauth_commit_refresh",
    replace: "when v_connection.version = p_base_version then 'committed'",
    by: "when v_connection.version = p_base_version and v_connection.lease_id = p_lease_id then 'committed'",
    breaks: ["no success dropped", "success beats failure"],
    seed: 2,
  },
  {
    name: "a commit that does not bring back what was given up",
    function: "public.oauth_commit_refresh",
    replace: "or v_connection.status = 'disconnected' then",
    by: "or v_connection.status <> 'active' then",
    breaks: ["success beats failure"],
    seed: 18,
  },
  {
    name: "a commit that does not know itself again",
    function: "public.oauth_commit_refresh",
    replace: "when v_connection.committed_lease_id = p_lease_id then",
    by: "when false then",
    breaks: ["one version per write"],
    seed: 2,
  },
  {
    name: "a commit after a disconnect",
    function: "public.oauth_commit_refresh",
    replace: "when v_connection.id is null or v_connection.status = 'disconnected' then",
    by: "when v_connection.id is null then",
    breaks: ["connecting and disconnecting win"],
    seed: 1,
  },
  {
    name: "a refusal that is final while an earlier attempt may still succeed",
    function: "public.oauth_fail_refresh",
    replace: "when v_final and (v_connection.unsettled_until > v_now) is not true then",
    by: "when v_final then",
    breaks: ["no false reauthorization"],
    seed: 1,
  },
  {
    name: "a failure that counts from anybody",
    function: "public.oauth_fail_refresh",
    replace: "when (v_connection.lease_id = p_lease_id) is not true then",
    by: "when v_connection.id is null then",
    breaks: ["no false reauthorization"],
    seed: 2,
  },
  {
    name: "a takeover without a settle time",
    function: "public.oauth_claim_refresh",
    replace: "then greatest(c.unsettled_until, v_now + p_settle_ms * interval '1 millisecond')",
    by: "then greatest(c.unsettled_until, v_now)",
    breaks: ["no false reauthorization"],
    seed: 1,
  },
  {
    name: "a takeover that leaves no mark",
    function: "public.oauth_claim_refresh",
    replace: "unsettled_until = case when c.lease_id is not null",
    by: "unsettled_until = case when false",
    breaks: ["no false reauthorization", "label"],
    seed: 1,
  },
  {
    name: "a claim that does not look for a lease",
    function: "public.oauth_claim_refresh",
    replace: "when v_connection.lease_until > v_now then 'busy'",
    by: "when false then 'busy'",
    breaks: ["one lease"],
    seed: 1,
  },
  {
    name: "an ambiguous end that leaves no mark",
    function: "public.oauth_fail_refresh",
    replace: "when 'ambiguous' then greatest(c.unsettled_until, v_now)",
    by: "when 'ambiguous' then c.unsettled_until",
    breaks: ["label"],
    seed: 9,
  },
  {
    name: "an operator's fault that counts as a refusal",
    function: "public.oauth_fail_refresh",
    replace: "v_final := p_class = 'permanent' or",
    by: "v_final := p_class = 'permanent' or p_code like 'config%' or",
    breaks: ["operator faults change nothing"],
    seed: 8,
  },
  {
    name: "a refusal without a code that counts though no other connection is accepted",
    function: "public.oauth_fail_refresh",
    replace: "v_final := p_class = 'permanent' or",
    by: "v_final := p_class in ('permanent', 'unexplained') or",
    breaks: ["operator faults change nothing"],
    seed: 1,
  },
  {
    // The index over the origins of versions refuses it, so what is seen is an error without a name.
    name: "a disconnect that keeps the version",
    function: "oauth.erase_token_set",
    replace: "version = c.version + 1",
    by: "version = c.version",
    breaks: ["one version per write", "every waiter ends"],
    seed: 1,
  },
  {
    name: "a write of tokens that leaves the lease",
    function: "oauth.store_token_set",
    replace: "lease_id = null,\n         lease_until = null,\n         attempts = 0,",
    by: "attempts = c.attempts,",
    breaks: ["no false reauthorization", "label"],
    seed: 1,
  },
];

/** Exchanges the part while `work` runs. Throws if the function does not have it. */
export async function mutated<T>(sql: postgres.Sql, mutant: Mutant, work: () => Promise<T>): Promise<T> {
  const [row] = await sql<{ original: string }[]>`
    select pg_get_functiondef(to_regproc(${mutant.function})) as original`;
  const original = row?.original ?? "";
  if (original.split(mutant.replace).length !== 2) {
    throw new Error(`"${mutant.function}" does not have once: ${mutant.replace}`);
  }
  await sql.unsafe(original.replace(mutant.replace, () => mutant.by));
  try {
    return await work();
  } finally {
    await sql.unsafe(original);
  }
}
