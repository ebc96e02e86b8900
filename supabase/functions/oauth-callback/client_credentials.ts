import { createHash, timingSafeEqual } from "node:crypto";

interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
}

/** More than any id and secret have. What is longer is refused unread: nobody has said yet who calls. */
const MAX_HEADER_LENGTH = 1024;

/** Whether the request carries exactly these credentials as HTTP Basic (RFC 7617). */
export function hasClientCredentials(
  { headers }: Request,
  { client_id, client_secret }: Credentials,
): boolean {
  const header = headers.get("authorization") ?? "";
  if (header.length > MAX_HEADER_LENGTH) return false;
  const [, encoded = ""] = /^basic +([A-Za-z0-9+/_-]+)={0,2} *$/i.exec(header) ?? [];
  return sameSecret(decoded(encoded), `${client_id}:${client_secret}`);
}

/** Compares digests in constant time: neither content nor length of the right one can be measured. */
export function sameSecret(given: string, right: string): boolean {
  return timingSafeEqual(sha256(given), sha256(right));
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}

/** Bytes as Latin-1 characters; what is not base64 decodes to nothing and matches nothing. */
function decoded(base64: string): string {
  const standard = base64.replaceAll("-", "+").replaceAll("_", "/");
  return standard.length % 4 === 1 ? "" : atob(standard);
}
