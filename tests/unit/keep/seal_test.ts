import fc from "fast-check";
import { base64url } from "jose";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import {
  type AssociatedData,
  digest,
  Keyring,
  randomSecret,
} from "../../../supabase/functions/_shared/keep/seal.ts";
import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";

const key = (byte: number) => base64url.encode(new Uint8Array(32).fill(byte));
const CONTEXT: AssociatedData = {
  id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
  provider: "pipedrive",
  field: "access_token",
};
const keyring = await Keyring.parse(`k1:${key(1)}`);

Deno.test("what was sealed opens in its place, whatever it is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 200 }), async (text) => {
      assertEquals(await keyring.open(await keyring.seal(text, CONTEXT), CONTEXT), text);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a seal names its format and key, shows nothing of its content, and is never made twice", async () => {
  const seals = await Promise.all(Array.from({ length: 50 }, () => keyring.seal("canary", CONTEXT)));
  assertEquals(new Set(seals).size, 50);
  assertEquals(new Set(seals.map((seal) => seal.split(".")[2])).size, 50);
  for (const seal of seals) {
    assertMatch(seal, /^v1\.k1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{30}$/);
    assertEquals(
      atob(seal.split(".")[3]?.replaceAll("-", "+").replaceAll("_", "/") ?? "").includes("canary"),
      false,
    );
  }
});

Deno.test("a seal opens in no other row, provider or field", async () => {
  const seal = await keyring.seal("secret", CONTEXT);
  const elsewhere: Partial<AssociatedData>[] = [
    { id: "7c9e6679-7425-40de-944b-e07fc1f90ae8" },
    { provider: "made-up" },
    { field: "refresh_token" },
    { field: "code" },
    // The same letters, divided elsewhere.
    { provider: "pipedriveaccess", field: "_token" as AssociatedData["field"] },
  ];
  for (const change of elsewhere) {
    await assertRejects(() => keyring.open(seal, { ...CONTEXT, ...change }), PublicError, "does not open");
  }
});

Deno.test("a seal with any one bit changed does not open", async () => {
  const [format, key_id, iv = "", ciphertext = ""] = (await keyring.seal("secret", CONTEXT)).split(".");
  const parts = [base64url.decode(iv), base64url.decode(ciphertext)];
  for (const [index, part] of parts.entries()) {
    for (let bit = 0; bit < part.length * 8; bit += 1) {
      const changed = parts.map((bytes) => new Uint8Array(bytes));
      const bytes = changed[index];
      if (bytes) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const seal = [format, key_id, ...changed.map((bytes) => base64url.encode(bytes))].join(".");
      await assertRejects(() => keyring.open(seal, CONTEXT), PublicError);
    }
  }
});

Deno.test("a seal under one key id does not pass for another's, even if both have the same key", async () => {
  const twins = await Keyring.parse(`k1:${key(1)},k2:${key(1)}`);
  const seal = await twins.seal("secret", CONTEXT);
  await assertRejects(() => twins.open(seal.replace("v1.k1.", "v1.k2."), CONTEXT), PublicError);
});

Deno.test("what is no seal is refused, and an operator learns what it is", async () => {
  const seal = await keyring.seal("secret", CONTEXT);
  for (
    const bad of [
      "",
      "plain token",
      "v1:u:AQIB",
      seal.replace("v1", "v2"),
      `${seal}.x`,
      "v1.k1..",
      "v1.k1.AA.AA",
      // Of a length that no base64url has.
      seal.replace(/[^.]+$/, "A".repeat(33)),
      seal.replace(/^(v1\.k1\.)[^.]+/, `$1${"A".repeat(17)}`),
    ]
  ) {
    const error = await assertRejects(() => keyring.open(bad, CONTEXT), PublicError);
    assertEquals(error.code, "CONFIGURATION_INVALID");
    assertStringIncludes(error.message, "access_token");
  }
});

Deno.test("the first key seals and all open, so keys change without a pause", async () => {
  const [old, both, turned, rest] = await Promise.all([
    Keyring.parse(`k1:${key(1)}`),
    Keyring.parse(`k1:${key(1)},k2:${key(2)}`),
    Keyring.parse(`k2:${key(2)},k1:${key(1)}`),
    Keyring.parse(`k2:${key(2)}`),
  ]);
  assertEquals([old, both, turned, rest].map(({ key_id }) => key_id), ["k1", "k1", "k2", "k2"]);
  const before = await old.seal("secret", CONTEXT);
  const after = await turned.seal("secret", CONTEXT);
  for (const each of [both, turned]) {
    assertEquals(await each.open(before, CONTEXT), "secret");
    assertEquals(await each.open(after, CONTEXT), "secret");
  }
  assertEquals(await rest.open(after, CONTEXT), "secret");
  const error = await assertRejects(() => rest.open(before, CONTEXT), PublicError);
  assertEquals([error.code, error.message.includes("k1")], ["CONFIGURATION_INVALID", false]);
  assertStringIncludes(error.reason, '"k1"');
});

Deno.test("a wrong key under the right id is the operator's fault, not the user's", async () => {
  const wrong = await Keyring.parse(`k1:${key(9)}`);
  const seal = await keyring.seal("secret", CONTEXT);
  const error = await assertRejects(() => wrong.open(seal, CONTEXT), PublicError, "TOKEN_ENCRYPTION_KEYS");
  assertEquals([error.code, error.message.includes("k1")], ["CONFIGURATION_INVALID", false]);
  assertStringIncludes(error.reason, '"k1"');
});

Deno.test("TOKEN_ENCRYPTION_KEYS is checked entry by entry, and no key is shown", async () => {
  const settings: [string, string][] = [
    ["", "entry 1"],
    ["k1", "entry 1"],
    [`k1:${key(1)}:x`, "entry 1"],
    [`:${key(1)}`, "entry 1"],
    [`k.1:${key(1)}`, "entry 1"],
    [`k1:${base64url.encode(new Uint8Array(31))}`, "entry 1"],
    [`k1:${key(1)},k2:${key(2).slice(0, -2)}!!`, "entry 2"],
    [`k1:${key(1)},k1:${key(2)}`, "entry 2"],
    [`k1:${key(1)},`, "entry 2"],
    [`k1:${key(1)}AA`, "entry 1"],
    [`k1:${key(1)},k2:${key(0)}`, "entry 2 of TOKEN_ENCRYPTION_KEYS is all zeros"],
  ];
  for (const [setting, entry] of settings) {
    const error = await assertRejects(() => Keyring.parse(setting), PublicError, entry);
    assertEquals(error.code, "CONFIGURATION_INVALID");
    for (const secret of [key(1), key(2)]) {
      assertEquals(`${error.stack}${Deno.inspect(error)}`.includes(secret), false);
    }
  }
  assertEquals((await Keyring.parse(` k1:${key(1)} , k2:${key(2)} `)).key_id, "k1");
});

Deno.test("a keyring shows no key when it is printed", async () => {
  const ring = await Keyring.parse(`k1:${key(1)}`);
  const shown = `${Deno.inspect(ring, { depth: 9, showHidden: true })}${JSON.stringify(ring)}${ring}`;
  assertEquals([shown.includes(key(1)), shown.includes("1, 1, 1")], [false, false]);
});

Deno.test("randomSecret() is 256 bits and never comes twice; digest() is its SHA-256", async () => {
  const secrets = Array.from({ length: 1_000 }, randomSecret);
  assertEquals(new Set(secrets).size, 1_000);
  for (const secret of secrets) assertMatch(secret, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(await digest("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  assertNotEquals(await digest(secrets[0] ?? ""), secrets[0]);
});

Deno.test("a keyed hash is the same for the same texts, and another one for another key, purpose or split", async () => {
  const [ring, other] = [
    await Keyring.parse(`k2:${key(2)},k1:${key(1)}`),
    await Keyring.parse(`k1:${key(1)}`),
  ];
  assertEquals(ring.key_ids, ["k2", "k1"]);
  const hash = await ring.hash("client", ["ab", "c"]);
  assertMatch(hash, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(await ring.hash("client", ["ab", "c"]), hash);
  const others = [
    ring.hash("ticket", ["ab", "c"]),
    ring.hash("client", ["a", "bc"]),
    ring.hash("client", ["abc"]),
    ring.hash("client", ["ab", "c"], "k1"),
  ];
  assertEquals(await other.hash("client", ["ab", "c"]), await others[3]);
  for (const different of await Promise.all(others)) assertNotEquals(different, hash);
});

Deno.test("a key is derived once for each id, and is no other id's", async () => {
  const keyring = await Keyring.parse(`k1:${key(1)}`);
  const { deriveKey } = crypto.subtle;
  let derived = 0;
  Object.assign(crypto.subtle, {
    deriveKey: (
      ...args: Parameters<typeof deriveKey>
    ) => (derived += 1, deriveKey.apply(crypto.subtle, args)),
  });
  try {
    const places = ["a", "b"].map((id) => ({ id, provider: "pipedrive", field: "access_token" } as const));
    const seals = await Promise.all(places.map((place) => keyring.seal("secret", place)));
    for (const [at, place] of places.entries()) {
      assertEquals(await keyring.open(seals[at] ?? "", place), "secret");
    }
    assertEquals(derived, 2);
    for (const [at, place] of places.toReversed().entries()) {
      await assertRejects(() => keyring.open(seals[at] ?? "", place), PublicError);
    }
  } finally {
    Object.assign(crypto.subtle, { deriveKey });
  }
});
