/**
 * Hostile origins and values through every kind of value, at each moment when one is used: nothing is sent to anybody
 * but the provider. The table of what became of them is printed.
 */
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { readSettings } from "../../../supabase/functions/_shared/env.ts";
import { openGrant } from "../../../supabase/functions/_shared/keep/token_set.ts";
import { apiUrl } from "../../../supabase/functions/_shared/oauth/address.ts";
import { askAccount } from "../../../supabase/functions/_shared/oauth/account_request.ts";
import type { Values } from "../../../supabase/functions/_shared/oauth/values.ts";
import { revokePending } from "../../../supabase/functions/_shared/refresh/revoke.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { KEYS, makeClient, makeTransport } from "../../support/make.ts";
import { type From, type Kind, providerOf, SOURCES } from "./hostile_definition.ts";
import { begin, call, holding, isDone, keyring, OWNER, plant, sceneOf, USER } from "./hostile_scene.ts";
import { HOSTILE_TEXTS, hostileTo, SITE } from "./hostile_values.ts";
import { Watch } from "./hostile_watch.ts";

const GOOD: Readonly<Record<Kind, string>> = {
  label: "acme",
  host: `acme.${SITE}`,
  origin: `https://acme.${SITE}`,
  segment: "acme-1",
  text: "Acme & S\u00f6hne / Ltd",
};
const KINDS = Object.keys(GOOD) as Kind[];

/** Whether it was done; null where nothing can be written but a text. */
type Try = (kind: Kind, v: unknown, watch: Watch) => Promise<boolean | null>;

/** The whole way to a connection, the value from one source. */
function exchangeFrom(from: From): Try {
  return async (kind, v, watch) => {
    if (from === "redirect:v" && typeof v !== "string") return null;
    const given = from === "user" ? holding(GOOD[kind]) : {};
    const scene = await sceneOf(watch, { provider: providerOf(kind, from) });
    const { context, stored } = scene;
    const state = (await begin(scene, given)).searchParams.get("state") ?? "";
    if (from === "user") {
      const { p_id: id } = stored.last.begun as { p_id: string };
      const plain = JSON.stringify({ code_verifier: "x".repeat(43), values: holding(v) });
      const owner = { id, provider: OWNER.provider, field: "code_verifier" } as const;
      Object.assign(stored.last.begun ?? {}, { p_code_verifier_sealed: await keyring.seal(plain, owner) });
    }
    watch.answers = { [from]: v };
    const back = new URLSearchParams({
      code: "code-1",
      state,
      ...(from === "redirect:v" && { v: String(v) }),
    });
    const received = await receiveAuthorizationResponse(context, back);
    if (received.outcome !== "parked") return false;
    const { ticket } = received;
    return await isDone(() => completeAuthorization(context, { ...USER, ticket, binding: "b" }));
  };
}

const refreshStored: Try = async (kind, v, watch) => {
  const scene = await sceneOf(watch, { provider: providerOf(kind, "user") });
  await plant(scene, holding(v), 0);
  return await isDone(() => call(scene));
};

/** An answer that brings it must leave the good one as it is, or bring one that is as good. */
function refreshBringing(from: From): Try {
  return async (kind, v, watch) => {
    const scene = await sceneOf(watch, { provider: providerOf(kind, from) });
    const before = GOOD[kind].replace(/acme/i, "globex");
    await plant(scene, holding(before), 0);
    watch.answers = { [from]: v };
    await call(scene);
    const { p_refresh_token_sealed: sealed } = scene.stored.last.stored as { p_refresh_token_sealed: string };
    const { values } = await openGrant(keyring, OWNER, sealed);
    await plant(scene, values);
    await call(scene);
    return values.v !== before;
  };
}

function callStored(base?: string): Try {
  return async (kind, v, watch) => {
    const scene = await sceneOf(watch, { provider: providerOf(kind, "user") });
    await plant(scene, holding(v));
    return await isDone(() => call(scene, base));
  };
}

const askAccountStored: Try = async (kind, v, watch) => {
  const client = makeClient({ provider: providerOf(kind, "user") });
  const token = { access_token: "access-0", values: holding(v) };
  return await isDone(() => askAccount(client, token, makeTransport(watch.fetch)));
};

const revokeStored: Try = async (kind, v, watch) => {
  const scene = await sceneOf(watch, { provider: providerOf(kind, "user") });
  await plant(scene, holding(v));
  const { revoked } = await revokePending(scene.context, { id: OWNER.id });
  return await isDone(() => revoked === 1 ? Promise.resolve() : Promise.reject(scene.context.reports[0]));
};

const authorize: Try = async (kind, v, watch) => {
  const scene = await sceneOf(watch, { provider: providerOf(kind, "user") });
  return await isDone(() => begin(scene, holding(v)));
};

const SETTINGS: Readonly<Record<string, string>> = {
  MADE_UP_CLIENT_ID: "3f1c5c8a9b2d4e6f",
  MADE_UP_CLIENT_SECRET: "3cbb1f0c6a2e4d7790ab",
  TOKEN_ENCRYPTION_KEYS: KEYS,
  APP_URL: "https://app.example",
  OAUTH_CALLBACK_URL: "https://project.supabase.co/functions/v1/oauth-callback",
};

/** An operator's host may be anywhere, as it is written. */
const hostOf = (text: string) => text.trim().replace(/^https:\/\//, "");

/** Set by the operator: as the value itself, or as a host that users may name. */
function configured(from: "deployment" | "user"): Try {
  return async (kind, v, watch) => {
    if (typeof v !== "string") return null;
    const far = kind === "host" || kind === "origin";
    if (far) watch.allowed = [hostOf(v)];
    const own = from === "deployment"
      ? { MADE_UP_V: v }
      : { MADE_UP_HOSTS: far ? hostOf(v) : "partner.example" };
    const variables: Readonly<Record<string, string | undefined>> = { ...SETTINGS, ...own };
    const provider = providerOf(kind, from);
    const { providers } = await readSettings((name) => variables[name], [provider]);
    const settings = providers.get(provider.name);
    if (!settings) return false;
    const scene = await sceneOf(watch, { provider, ...settings });
    const given = from === "user" ? holding(v) : {};
    return await isDone(async () => {
      await begin(scene, given);
      await plant(scene, given);
      await call(scene);
    });
  };
}

const MOMENTS: Readonly<Record<string, Readonly<Record<string, Try>>>> = {
  settings: { "as the value": configured("deployment"), "as one of the hosts": configured("user") },
  authorize: { "given by the user": authorize },
  exchange: Object.fromEntries(
    SOURCES.filter((from) => from !== "deployment").map((from) => [from, exchangeFrom(from)]),
  ),
  refresh: {
    stored: refreshStored,
    "brought by the answer": refreshBringing("token:v"),
    "brought by its ID token": refreshBringing("id_token:v"),
  },
  use: {
    call: callStored(),
    "call to another base": callStored("other"),
    "account request": askAccountStored,
    revocation: revokeStored,
  },
};

interface Count {
  tried: number;
  refused: number;
  "allowed, harmless": number;
  /** Or otherwise than as one field, or ended by an error that is no refusal of ours. */
  "sent elsewhere": number;
}
const table: Record<string, Count> = {};

/** What went wrong with one value, if anything. */
async function judged(attempt: Try, kind: Kind, v: unknown, count: Count): Promise<string[]> {
  const watch = new Watch(kind);
  const done = await attempt(kind, v, watch).catch((error) => void watch.wrong.push(`threw ${error}`));
  if (done === null) return [];
  count.tried += 1;
  count[watch.wrong.length > 0 ? "sent elsewhere" : done ? "allowed, harmless" : "refused"] += 1;
  return watch.wrong.map((what) => `${JSON.stringify(v)?.slice(0, 80)}: ${what.slice(0, 200)}`);
}

for (const [moment, ways] of Object.entries(MOMENTS)) {
  for (const kind of KINDS) {
    Deno.test(`at ${moment}, no hostile ${kind} sends anything elsewhere`, async () => {
      const count = { tried: 0, refused: 0, "allowed, harmless": 0, "sent elsewhere": 0 };
      table[`${kind}, ${moment}`] = count;
      const wrong: string[] = [];
      for (const [way, attempt] of Object.entries(ways)) {
        const good = new Watch(kind);
        assertEquals([await attempt(kind, GOOD[kind], good), good.wrong], [true, []], `a good one: ${way}`);
        assert(good.sent > 0);
        const found = await Promise.all(hostileTo(kind).map((v) => judged(attempt, kind, v, count)));
        wrong.push(...found.flat().map((what) => `${way}: ${what}`));
      }
      assertEquals(wrong, []);
    });
  }
}

const ODD: readonly unknown[] = [
  ...[undefined, null, 7, "acme", [], ["acme"], { v: null }, { V: "acme" }, { __proto__: { v: "acme" } }],
  ...[JSON.parse('{"__proto__": {"v": "acme"}}'), { constructor: { v: "acme" } }, { "": "acme" }],
];

Deno.test("stored values that are none are as good as missing", async () => {
  for (const kind of KINDS) {
    for (const values of ODD) {
      const watch = new Watch(kind);
      const scene = await sceneOf(watch, { provider: providerOf(kind, "user") });
      await plant(scene, values as Values);
      assertEquals([await isDone(() => call(scene)), watch.sent], [false, 0], JSON.stringify(values));
    }
  }
});

Deno.test("a user gives what the provider asks for, and nothing by another name", async () => {
  const scene = await sceneOf(new Watch("label"), { provider: providerOf("label", "user") });
  for (const name of ["__proto__", "constructor", "toString", "V", "v.v", "client_id", "access_token", ""]) {
    const given = JSON.parse(`{"v": "acme", ${JSON.stringify(name)}: "acme"}`);
    assertEquals(await isDone(() => begin(scene, given)), false, name);
  }
  assertEquals(await isDone(() => begin(scene, { v: "acme" })), true);
});

Deno.test("a sandbox takes the place of the origin, whatever the path looks like", () => {
  const { api, ...own } = providerOf("segment", "user");
  const provider = { ...own, api: { ...api, base: `https://api.${SITE}//evil.example` } };
  const client = makeClient({ provider, api_origins: ["https://sandbox.example"] });
  assertEquals(apiUrl(client, {}, { url: "/x" })?.href, "https://sandbox.example//evil.example/x");
});

Deno.test("the table of what became of hostile values", () => {
  console.log(`${HOSTILE_TEXTS.length} hostile texts`);
  console.table(table);
  assert(HOSTILE_TEXTS.length >= 150);
  assertEquals(Object.keys(table).length, KINDS.length * Object.keys(MOMENTS).length);
  for (const count of Object.values(table)) assertEquals(count["sent elsewhere"], 0);
});
