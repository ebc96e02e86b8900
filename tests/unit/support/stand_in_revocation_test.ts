import { CLIENT, FACTS, factsOf } from "../../support/stand_in/facts.ts";
import type { ClientAuthentication, RevocationFacts } from "../../support/stand_in/types.ts";
import { assertEquals } from "../../support/assert.ts";
import { connected, type Scene, scene } from "./stand_in_scene.ts";

const NOTHING = { access_tokens: 0, refresh_tokens: 0 };

interface Sent {
  readonly token: string;
  readonly secret?: string;
  readonly format?: RevocationFacts["formats"][number];
}

/** A revocation as the facts ask for it. */
async function revoke(of: Scene, facts: RevocationFacts, { token, secret, format = facts.formats[0] }: Sent) {
  const { url, method, auth, parameter } = facts;
  if (auth === "bearer") {
    return await answer(of, url, { method, headers: { authorization: `Bearer ${token}` } });
  }
  const parameters = { [parameter]: token };
  const headers = authenticated(auth[0], secret ?? CLIENT.client_secret, parameters);
  if (format === "query") {
    return await answer(of, `${url}?${new URLSearchParams(parameters)}`, { method, headers });
  }
  const json = format === "json";
  headers.set("content-type", json ? "application/json" : "application/x-www-form-urlencoded");
  const body = json ? JSON.stringify(parameters) : new URLSearchParams(parameters).toString();
  return await answer(of, url, { method, headers, body });
}

function authenticated(
  way: ClientAuthentication | undefined,
  secret: string,
  parameters: Record<string, string>,
): Headers {
  if (way === "basic_raw") {
    return new Headers({ authorization: `Basic ${btoa(`${CLIENT.client_id}:${secret}`)}` });
  }
  parameters.client_id = CLIENT.client_id;
  parameters.client_secret = secret;
  return new Headers();
}

async function answer({ stand_in }: Scene, url: string, init: RequestInit) {
  const response = await stand_in.fetch(url, init);
  const text = await response.text();
  return [response.status, text === "" ? null : JSON.parse(text)];
}

for (const facts of FACTS.values()) {
  for (const revocation of facts.revocations) {
    for (const kind of ["access", "refresh"] as const) {
      const what = revocation.ends[kind] ?? "nothing";
      Deno.test(`${facts.name}: at ${revocation.url} the ${kind} token ends ${what}`, async () => {
        const of = scene(facts);
        const { access_token, refresh_token } = await connected(of);
        const token = kind === "access" ? access_token : refresh_token;
        if (token === undefined) return assertEquals(facts.name, "linkedin");
        const before = of.stand_in.alive();
        const { status, body } = what === "nothing" ? revocation.unknown : revocation.success;
        assertEquals(await revoke(of, revocation, { token }), [status, body]);
        const less = { token: { ...before, [`${kind}_tokens`]: 0 }, grant: NOTHING };
        assertEquals(of.stand_in.alive(), what === "nothing" ? before : less[what]);
        assertEquals(of.stand_in.journal.at(-1), { endpoint: "revoke", status });
      });
    }

    Deno.test(`${facts.name}: ${revocation.url} ends nothing by what it does not know`, async () => {
      const of = scene(facts);
      await connected(of);
      const before = of.stand_in.alive();
      const { unknown: { status, body }, auth } = revocation;
      assertEquals(await revoke(of, revocation, { token: "another" }), [status, body]);
      if (auth !== "bearer") {
        const { invalid_client } = facts.token.refused;
        const wrong = await revoke(of, revocation, { token: "another", secret: "wrong" });
        assertEquals(wrong, [invalid_client.status, invalid_client.body]);
      }
      assertEquals(of.stand_in.alive(), before);
    });
  }
}

Deno.test("microsoft, airtable and atlassian offer no revocation", () => {
  const without = [...FACTS.values()].filter(({ revocations }) => revocations.length === 0);
  assertEquals(without.map(({ name }) => name), ["microsoft", "airtable", "atlassian"]);
});

for (const [name, format] of [["zoho", "query"], ["quickbooks", "json"]] as const) {
  Deno.test(`${name}: a revocation is taken as ${format} too`, async () => {
    const of = scene(factsOf(name));
    const { refresh_token = "" } = await connected(of);
    const [revocation] = of.facts.revocations;
    if (revocation === undefined) throw new Error("there is none");
    await revoke(of, revocation, { token: refresh_token, format });
    assertEquals(of.stand_in.alive(), NOTHING);
  });
}

Deno.test("notion: a revocation as a form is refused", async () => {
  const of = scene(factsOf("notion"));
  const { access_token } = await connected(of);
  const [revocation] = of.facts.revocations;
  if (revocation === undefined) throw new Error("there is none");
  const [status] = await revoke(of, revocation, { token: access_token, format: "form" });
  assertEquals([status, of.stand_in.alive().access_tokens], [400, 1]);
});
