import { readText } from "./json.ts";
import type { Provider } from "./provider.ts";
import { type Answers, readSource } from "./values.ts";

/** Of a name or an e-mail address (RFC 5321 §4.5.3.1 allows the latter 254). */
const MOST_CHARACTERS = 320;

/** Whom a connection speaks for at the provider. */
export interface Account {
  /** The ids joined with `:`: what makes a connection one of its own. */
  readonly key: string;
  readonly name?: string;
  readonly email?: string;
}

/**
 * Reads the account from what the provider has answered; null if one of its ids is missing.
 *
 * Ids are strict, since a wrong key would give one account's tokens to another's row. Name and e-mail are for people:
 * absent if they are not text.
 */
export function readAccount({ account }: Provider, answers: Answers): Account | null {
  const ids = account.key.map((source) => readId(readSource(source, answers)));
  if (ids.length === 0 || ids.includes(null)) return null;
  const text = (source: typeof account.name) =>
    source === undefined ? null : readText(readSource(source, answers), MOST_CHARACTERS);
  const [name, email] = [text(account.name), text(account.email)];
  return { key: ids.join(":"), ...(name ? { name } : {}), ...(email ? { email } : {}) };
}

/** Without `:`, so that no two lists of ids share a key. */
function readId(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value > 0 ? String(value) : null;
  return typeof value === "string" && /^[^\s:\p{Cc}\p{Cs}]{1,128}$/u.test(value) ? value : null;
}
