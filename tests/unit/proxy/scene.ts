import {
  type Call,
  compile,
  type Compiled,
  type Definitions,
  judge,
  type Judgement,
} from "../../../supabase/functions/proxy/policy.ts";

export const ACME: Definitions = new Map([
  ["acme", { api: { bases: { files: "https://files.acme.example" }, changing_gets: [] } }],
]);

/** Lines of every form. */
export const LINES: Compiled = compile({
  users: {
    acme: ["GET /deals/*", "GET /deals/*/products", "GET /files/**", "GET /items/*/", "PATCH /deals/*"],
  },
  secret_keys: { acme: ["GET files:/v1/*", "DELETE /deals/*", "HEAD /ping", "GET /"] },
}, ACME);

/** One that passes. */
export const CALL: Call = { caller: "user", provider: "acme", method: "GET", path: "/deals/7", search: "" };

export function judged(call: Partial<Call>, lines = LINES): Judgement {
  return judge(lines, { ...CALL, ...call });
}

/** Why it does not pass; undefined: it does. */
export function refusal(call: Partial<Call>): string | undefined {
  const judgement = judged(call);
  return judgement.allowed ? undefined : judgement.why;
}
