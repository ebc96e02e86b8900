/**
 * Hostile values through every kind, at each moment at which one could have something sent elsewhere: also where it is
 * stored already, as if an older version or a restored database had let it in. None is sent to.
 */
import { readSettings } from "../../../supabase/functions/_shared/env.ts";
import { askAccount } from "../../../supabase/functions/_shared/oauth/account_request.ts";
import { apiUrl } from "../../../supabase/functions/_shared/oauth/address.ts";
import { askApi } from "../../../supabase/functions/_shared/oauth/api.ts";
import { createAuthorizationRequest } from "../../../supabase/functions/_shared/oauth/authorization.ts";
import type { Client } from "../../../supabase/functions/_shared/oauth/client.ts";
import { EndpointUnusable } from "../../../supabase/functions/_shared/oauth/errors.ts";
import type { Definition, Value } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { revoke } from "../../../supabase/functions/_shared/oauth/revocation.ts";
import { exchangeCode, refreshTokens } from "../../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { learn, type Values } from "../../../supabase/functions/_shared/oauth/values.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { clientOf } from "../../../supabase/functions/_shared/wiring.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { KEYS, makeClient, makeTransport } from "../../support/make.ts";
import { HOSTILE } from "./hostile_values.ts";

type Kind = Value["kind"];
/** Of each kind: a value that is good, and how an address holds it. */
const KINDS: Readonly<
  Record<Kind, { readonly good: string; readonly base: string; readonly limits?: object }>
> = {
  label: { good: "us", base: "https://{v}.acme.example" },
  host: { good: "us.acme.example", base: "https://{v}", limits: { under: ["acme.example"] } },
  origin: { good: "https://us.acme.example", base: "{v}", limits: { under: ["acme.example"] } },
  segment: { good: "us", base: "https://id.acme.example/{v}" },
  text: { good: "us & them", base: "https://id.acme.example" },
};
const kinds = Object.keys(KINDS) as Kind[];

function definitionOf(kind: Kind, from: Value["from"]): Definition {
  const { base, limits } = KINDS[kind];
  const text = kind === "text" ? "?v={v}" : "";
  const named: Record<string, string> = kind === "segment" ? { "x-v": "{v}" } : {};
  return {
    name: "acme",
    documentation: "https://acme.example/docs",
    authorization_endpoint: `${base}/authorize${text}`,
    token_endpoint: `${base}/token${text}`,
    refresh_endpoint: `${base}/refresh${text}`,
    revocation_endpoint: `${base}/revoke${text}`,
    authorization_parameters: { hint: "{v}" },
    token_parameters: { hint: "{v}" },
    token_request_headers: named,
    values: { v: { kind, from, ...limits } },
    account: { request: `/me${text}`, key: ["account:id"] },
    api: { base, headers: { authorization: "Bearer {access_token}", ...named }, query: { hint: "{v}" } },
  };
}

/** Where a message went, as the parser reads it and as somebody who looks for slashes does. */
function isProviders(url: string): boolean {
  const { protocol, host, username, password } = new URL(url);
  const [scheme, , authority] = url.split(/[/?#]/);
  return protocol === "https:" && scheme === "https:" && authority === host && username + password === "" &&
    /^[a-z0-9-]+\.acme\.example$/.test(host);
}

class Place {
  readonly sent: string[] = [];
  readonly transport = makeTransport(respondWith(({ url }) => {
    this.sent.push(url);
    return json({ access_token: "a", refresh_token: "r", id: 7, token_type: "bearer", ...this.answer });
  }));
  constructor(readonly answer: Readonly<Record<string, unknown>> = {}) {}
}

/** Done, or refused in words of ours; whatever else is thrown fails the test. */
async function done(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof EndpointUnusable || error instanceof PublicError) return false;
    throw error;
  }
}

/** The values of a user, of a redirect or of an answer, as they are taken; null: refused. */
function taken(client: Client, word: "user" | "redirect" | "token" | "account", raw: unknown): Values | null {
  const answers = word === "user" ? { value: { v: raw } as Values } : { [word]: { v: raw } };
  const { values, refused } = learn(client, word, answers, {});
  return refused.length > 0 || !("v" in values) ? null : values;
}

const clientFor = (kind: Kind, from: Value["from"]) =>
  makeClient({ provider: define(definitionOf(kind, from)) });
const given = (raw: unknown): Values => ({ v: raw }) as Values;

/** What is done with one value at each moment. Gives whether anything of it went on. */
const MOMENTS: Readonly<Record<string, (kind: Kind, raw: unknown, place: Place) => Promise<boolean>>> = {
  async authorize(kind, raw, place) {
    const client = clientFor(kind, "user");
    const values = taken(client, "user", raw);
    const begun = async (these: Values) => {
      place.sent.push((await createAuthorizationRequest(client, these)).authorization_url);
    };
    const stored = await done(() => begun(given(raw)));
    return values === null ? stored : await done(() => begun(values));
  },
  async exchange(kind, raw, place) {
    let went = false;
    for (const word of ["redirect", "token", "account"] as const) {
      const client = clientFor(kind, `${word}:v`);
      for (const values of [taken(client, word, raw), given(raw)]) {
        if (values === null) continue;
        const grant = { code: "c", code_verifier: "x", redirect_uri: client.redirect_uri, values };
        const exchanged = await done(() => exchangeCode(client, grant, place.transport));
        const asked = await done(() => askAccount(client, { access_token: "a", values }, place.transport));
        went ||= exchanged || asked;
      }
    }
    return went;
  },
  async refresh(kind, raw, place) {
    const client = clientFor(kind, "token:v");
    const grant = { access_token: "a", refresh_token: "r", values: given(raw) };
    const sent = await done(() => refreshTokens(client, grant, place.transport));
    const { values } = learn(client, "token", { token: { v: raw } }, given(KINDS[kind].good));
    return await done(() => refreshTokens(client, { ...grant, values }, place.transport)) && sent;
  },
  async use(kind, raw, place) {
    const client = clientFor(kind, "token:v");
    const token = { access_token: "a", values: given(raw) };
    const asked = await done(() => {
      const request = {
        url: apiUrl(client, token.values, { url: "/x" }),
        takes: "any",
        limit: 1_000,
      } as const;
      return askApi(client, token, request, place.transport);
    });
    return await done(() => revoke(client, { ...token, refresh_token: "r" }, place.transport)) && asked;
  },
};

const table: Record<string, Record<string, string>> = {};

for (const kind of kinds) {
  for (const [moment, act] of Object.entries(MOMENTS)) {
    Deno.test(`no hostile ${kind} is sent to at ${moment}`, async () => {
      let went = 0;
      let sent = 0;
      for (const raw of HOSTILE) {
        const place = new Place();
        if (await act(kind, raw, place)) went += 1;
        sent += place.sent.length;
        assertEquals(place.sent.filter((url) => !isProviders(url)), [], JSON.stringify(raw).slice(0, 80));
        assert(place.sent.every((url) => !/[\r\n\0 ]/.test(url)));
      }
      const good = new Place();
      assert(await act(kind, KINDS[kind].good, good), "a good one goes on");
      assert(good.sent.length > 0 && good.sent.every(isProviders));
      const refused = HOSTILE.length - went;
      (table[kind] ??= {})[moment] = `${refused} refused, ${went} harmless, ${sent} sent, 0 elsewhere`;
      // What is no text, too long or has control characters is refused by every kind; others take next to nothing.
      assert(kind === "text" ? refused > 30 : refused > HOSTILE.length / 2, String(refused));
    });
  }
}

Deno.test("an operator's value is taken as it is written, or the provider is not offered", async () => {
  for (const kind of ["label", "host", "origin", "segment"] as const) {
    const { limits: _, ...definition } = { ...definitionOf(kind, "deployment"), limits: undefined };
    const provider = define({ ...definition, values: { v: { kind, from: "deployment" } } });
    let offered = 0;
    for (const raw of HOSTILE) {
      if (typeof raw !== "string" || raw.trim() === "") continue;
      const variables: Record<string, string> = {
        ...{
          ACME_CLIENT_ID: "id",
          ACME_CLIENT_SECRET: "secret",
          ACME_V: raw,
          APP_URL: "https://app.example",
        },
        ...{
          TOKEN_ENCRYPTION_KEYS: KEYS,
          OAUTH_CALLBACK_URL: "https://p.supabase.co/functions/v1/oauth-callback",
        },
      };
      const settings = await readSettings((name) => variables[name], [provider]);
      const own = settings.providers.get("acme");
      if (!own) {
        assert(settings.faults.get("acme")?.startsWith("ACME_V "), raw);
        assert(!settings.faults.get("acme")?.includes(raw) || raw.length < 12, raw);
        continue;
      }
      offered += 1;
      const url = apiUrl(clientOf(provider, own, settings.callback_url), {}, { url: "/x" });
      const written = raw.trim().toLowerCase().replace(/^https:\/\//, "").replace(/(:443)?\/?$/, "");
      if (kind === "host" || kind === "origin") assertEquals(url?.host, written, raw);
      else assertEquals(url?.host.split(".").slice(-2).join("."), "acme.example", raw);
    }
    assert(offered > 0, "an operator may choose a host of their own");
  }
});

Deno.test("the hostile values are many, and none came through", () => {
  assert(HOSTILE.length >= 150, String(HOSTILE.length));
  assertEquals(Object.keys(table), kinds);
  console.log(`${HOSTILE.length} hostile values`);
  console.table(table);
});
