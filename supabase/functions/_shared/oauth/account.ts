import type { Provider } from "./client.ts";
import { valueAt } from "./json.ts";

/** Whom a connection speaks for at the provider. */
export interface Account {
  /** The ids joined with `:`: what makes a connection one of its own. */
  readonly key: string;
  readonly name?: string;
  readonly email?: string;
}

/**
 * Reads the account from the provider's answer; null if one of its ids is missing.
 *
 * Ids are strict, since a wrong key would give one account's tokens to another's row. Name and e-mail are for people:
 * absent if they are not text.
 */
export function readAccount(provider: Provider, json: unknown): Account | null {
  const { account } = provider;
  const ids = account.key.map((path) => readId(valueAt(json, path)));
  if (ids.length === 0 || ids.includes(null)) return null;
  const [name, email] = [readText(valueAt(json, account.name)), readText(valueAt(json, account.email))];
  return { key: ids.join(":"), ...(name ? { name } : {}), ...(email ? { email } : {}) };
}

/** Without `:`, so that no two lists of ids share a key. */
function readId(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : null;
  return typeof value === "string" && /^[^\s:]{1,128}$/.test(value) ? value : null;
}

function readText(value: unknown): string | null {
  return typeof value === "string" ? value.trim().slice(0, 320) : null;
}
