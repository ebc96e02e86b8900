/**
 * The connection of this user at this account: always the same id, known before its row exists, so that its tokens
 * can be sealed for it first.
 *
 * @returns a UUID of version 8 from SHA-256 (RFC 9562 §5.8)
 */
export async function connectionId(provider: string, account_key: string, user_id: string): Promise<string> {
  // Length-prefixed, so that no two accounts share an encoding.
  const name = [provider, account_key, user_id].map((part) => `${part.length}:${part}`).join("");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  const bytes = new Uint8Array(hash, 0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
