import type { Codes } from "./codes.ts";
import type { Grants } from "./grants.ts";
import type { Facts } from "./types.ts";

/** What the endpoints of one provider work on. */
export interface World {
  readonly facts: Facts;
  readonly codes: Codes;
  readonly grants: Grants;
  /** Epoch milliseconds, as the provider tells them. */
  readonly calendar: () => number;
}

/** `other`: the provider's host, where nothing is; `elsewhere`: nothing of this provider, so nothing was sent. */
export type Endpoint = "authorize" | "token" | "revoke" | "account" | "api" | "other" | "elsewhere";

/** One request, without any token, code or secret. */
export interface Entry {
  readonly endpoint: Endpoint;
  grant_type?: string;
  /** 0: there was no answer. */
  status: number;
  /** What was wrong with it. */
  refused?: string;
}
