import { type Call, compile } from "../../../supabase/functions/proxy/policy.ts";
import { assertEquals } from "../../support/assert.ts";
import { CALL, judged } from "./scene.ts";

const changing_gets = ["/jobs/*/run", "files:/v1/touch/**"];
const LINES = compile(
  {
    users: { acme: ["GET /deals/*", "GET /deals/purge changes", "GET /jobs/**", "GET files:/v1/**"] },
    secret_keys: { acme: ["GET /deals/*", "GET /jobs/**", "DELETE /deals/*"] },
  },
  new Map([["acme", { api: { bases: { files: "https://files.acme.example" }, changing_gets } }]]),
);

const CHANGES: readonly Partial<Call>[] = [
  { path: "/deals/purge" },
  { path: "/deals/purge", method: "HEAD" },
  { path: "/deals/purge", caller: "secret" },
  { path: "/deals/Purge" },
  { path: "/deals/purg%65" },
  { path: "/deals/%50%55%52%47%45" },
  { path: "/deals/purge.json" },
  { path: "/deals/purge." },
  { path: "/deals/purge%20" },
  { path: "/deals/%ef%bd%90urge" },
  { path: "/deals/pur%e2%80%8bge" },
  { path: "/jobs/7/run" },
  { path: "/jobs/7/r%75n", caller: "secret" },
  { path: "/v1/touch/7", base: "files" },
  { path: "/v1/Touch/7/8", base: "files" },
  { path: "/deals/7", method: "DELETE", caller: "secret" },
];
const READS: readonly Partial<Call>[] = [
  { path: "/deals/7" },
  { path: "/deals/7", method: "HEAD" },
  { path: "/deals/purged" },
  { path: "/deals/purge-7" },
  { path: "/jobs/run" },
  { path: "/jobs/7/run/log" },
  { path: "/v1/touch", base: "files" },
  { path: "/v1/7", base: "files" },
];

for (const [calls, changes] of [[CHANGES, true], [READS, false]] as const) {
  for (const call of calls) {
    const { caller, method, base = "", path } = { ...CALL, ...call };
    const what = changes ? "changes something" : "only reads";
    Deno.test(`judge() says that ${method} ${base}${path} by a ${caller} ${what}`, () => {
      assertEquals(judged(call, LINES), { allowed: true, changes, search: "" });
    });
  }
}
