import type { Policy } from "./policy.ts";

/**
 * What this application lets through `proxy`: by a provider's name the lines that pass, apart for users and for secret
 * keys. Closed until it says something.
 *
 * A line is a method, a path below the provider's `api.base`, and nothing else; HEAD passes where GET does. `*` is one
 * segment, whatever it holds: `/deals/*` is `/deals/search` too. `**`, at the end, is one or more. A name and a colon
 * before the path choose one of the definition's `api.bases`. `changes` after the path of a GET says that it changes
 * something: it waits until the connection is known to be there, and is never repeated.
 *
 * @example
 * ```ts
 * export const allowed: Policy = {
 *   users: {
 *     pipedrive: ["GET /api/v2/deals", "GET /api/v2/deals/*", "PATCH /api/v2/deals/*"],
 *     google: ["GET gmail:/gmail/v1/users/me/messages/*", "GET sheets:/v4/spreadsheets/**"],
 *   },
 *   secret_keys: { pipedrive: ["GET /api/v2/**"], slack: ["GET /users.list", "GET /conversations.join changes"] },
 * };
 * ```
 */
export const allowed: Policy = { users: {}, secret_keys: {} };
