const BYTES = 33;

/** 44 random characters behind some that a careless encoder breaks. */
export function randomToken(kind: "code" | "access" | "refresh"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return `${kind}+/=${btoa(String.fromCharCode(...bytes))}`;
}
