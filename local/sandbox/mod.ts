/**
 * A stand-in for Pipedrive's OAuth server and API that refuses what the real ones refuse.
 *
 * A request comes in at `serve.ts` (over HTTP) or `sandbox.ts` (in this process), and `router.ts` hands it to
 * `marketplace.ts`, `authorize.ts`, `token.ts`, `revoke.ts` or `api.ts`; `world.ts` is all that they know. `control.ts` moves that world.
 */
export type { UserChoice } from "./accounts.ts";
export type { SandboxControl } from "./control.ts";
export type { FaultKind } from "./faults.ts";
export type { TokenResponse } from "./grants.ts";
export type { Switches } from "./switches.ts";
export type { SandboxOptions } from "./world.ts";
export { controlOf } from "./control_http.ts";
export { asFetch, createSandbox } from "./sandbox.ts";
export { type ServedSandbox, serveSandbox } from "./serve.ts";
