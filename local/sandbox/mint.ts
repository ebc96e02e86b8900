import type { Account } from "./types.ts";

const ACCESS_TOKEN_BYTES = 340;

/** `v1u:…:…`, about 500 characters, with each of `+ / = :` that a careless encoder breaks. */
export function mintAccessToken(): string {
  let body = "";
  while (!body.includes("+") || !body.includes("/")) body = base64(randomBytes(ACCESS_TOKEN_BYTES));
  return `v1u:${body}:${base64(randomBytes(25))}`;
}

/** `<n>:<n>:<40 hex>`. */
export function mintRefreshToken(account: Account): string {
  return `${account.company_id}:${account.user_id}:${hex(randomBytes(20))}`;
}

/** `<n>.<n>.<40 hex>`. */
export function mintCode(account: Account): string {
  return `${account.company_id}.${account.user_id}.${hex(randomBytes(20))}`;
}

function randomBytes(count: number) {
  return crypto.getRandomValues(new Uint8Array(count));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
