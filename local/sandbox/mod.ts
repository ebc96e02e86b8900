/** A stand-in for Pipedrive's OAuth server and API that refuses what the real ones refuse. */
export type * from "./types.ts";
export { asFetch, createSandbox } from "./sandbox.ts";
export { serveSandbox } from "./serve.ts";
export { controlOf } from "./control_client.ts";
