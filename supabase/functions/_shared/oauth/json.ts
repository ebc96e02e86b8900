import { isObject, parseJson } from "../bytes.ts";

/** The JSON object of a body that is bounded already; null for anything else. Its content type is not asked. */
export async function readObject(response: Response): Promise<Record<string, unknown> | null> {
  const value = parseJson(await response.text());
  return isObject(value) ? value : null;
}

/**
 * A provider's text as the database takes it, so that what only describes tokens never costs them: well-formed, without
 * U+0000, cut between characters. Null: it is no text.
 */
export function readText(value: unknown, most = Infinity): string | null {
  if (typeof value !== "string") return null;
  return Array.from(value.toWellFormed().replaceAll("\0", "").trim()).slice(0, most).join("");
}

/** An error code is a word of a protocol; anything else may be prose, or a secret, and is not carried on: null. */
export function asErrorCode(value: unknown): string | null {
  return typeof value === "string" && /^[a-z][a-z_]{0,63}$/.test(value) ? value : null;
}
