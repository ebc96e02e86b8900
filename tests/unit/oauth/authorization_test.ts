import fc from "fast-check";
import {
  createAuthorizationRequest,
  readAuthorizationResponse,
} from "../../../supabase/functions/_shared/oauth/authorization.ts";
import { digest } from "../../../supabase/functions/_shared/keep/seal.ts";
import { assertEquals, assertMatch, assertNotEquals } from "../../support/assert.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { makeClient } from "../../support/make.ts";

const client = makeClient();
const withPkce = makeClient({ provider: madeUp });
const ISS = "https://id.made-up.example";

function read(query: string, of = client) {
  return readAuthorizationResponse(of, new URL(`https://callback.example/?${query}`).searchParams);
}

Deno.test("createAuthorizationRequest() sends Pipedrive client_id, redirect_uri and state, and nothing else", async () => {
  const { authorization_url, state, code_verifier } = await createAuthorizationRequest(client, {});
  const url = new URL(authorization_url);
  assertEquals(url.origin + url.pathname, "https://oauth.pipedrive.com/oauth/authorize");
  assertEquals([...url.searchParams].sort(), [
    ["client_id", client.client_id],
    ["redirect_uri", client.redirect_uri],
    ["state", state],
  ]);
  assertEquals(code_verifier, null);
});

Deno.test("where the provider has PKCE, the challenge is S256 of a verifier that is not in the URL", async () => {
  const { authorization_url, code_verifier } = await createAuthorizationRequest(withPkce, {});
  const parameters = new URL(authorization_url).searchParams;
  assertMatch(code_verifier ?? "", /^[A-Za-z0-9_-]{43}$/);
  assertEquals(parameters.get("code_challenge"), await digest(code_verifier ?? ""));
  assertEquals(parameters.get("code_challenge_method"), "S256");
  assertEquals(authorization_url.includes(code_verifier ?? ""), false);
  const again = await createAuthorizationRequest(withPkce, {});
  assertNotEquals(again.code_verifier, code_verifier);
});

Deno.test("PKCE does not replace state, and no definition can fix it", async () => {
  const { authorization_url, state } = await createAuthorizationRequest(withPkce, {});
  const parameters = new URL(authorization_url).searchParams;
  assertEquals(parameters.getAll("state"), [state]);
  assertEquals(read(`code=c&iss=${ISS}`, withPkce), { outcome: "not_begun_here" });
});

Deno.test("createAuthorizationRequest() asks for the definition's scopes, and says what else it wants said", async () => {
  const { authorization_url, state } = await createAuthorizationRequest(withPkce, {});
  const { code_challenge: _, ...sent } = Object.fromEntries(new URL(authorization_url).searchParams);
  assertEquals(sent, {
    tenant: "all",
    access_type: "offline",
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    scope: "files:read offline_access",
    state,
    code_challenge_method: "S256",
  });
});

Deno.test("a state is 256 bits of base64url and never comes twice", async () => {
  const states = new Set<string>();
  for (let n = 0; n < 1_000; n += 1) {
    const { state } = await createAuthorizationRequest(client, {});
    assertMatch(state, /^[A-Za-z0-9_-]{43}$/);
    states.add(state);
  }
  assertEquals(states.size, 1_000);
  // Each of the 64 characters somewhere: not a UUID, not a number, not hexadecimal.
  assertEquals(new Set([...states].join("")).size, 64);
});

Deno.test("readAuthorizationResponse() reads a code with its state", () => {
  assertEquals(read("code=123.456.2d73&state=s"), {
    outcome: "code",
    code: "123.456.2d73",
    state: "s",
    parameters: {},
  });
});

Deno.test("any error is a denial, and no prose of the provider's comes along", () => {
  const denied = (error: string) => ({ outcome: "denied" as const, state: "s", error });
  assertEquals(read("error=user_denied&state=s"), denied("user_denied"));
  assertEquals(read("error=access_denied&state=s&error_description=%3Cscript%3E"), denied("access_denied"));
  assertEquals(read("error=%3Cb%3Eno%3C/b%3E&state=s"), denied("unrecognised"));
  assertEquals(read("error=a%0D%0Ab&state=s"), denied("unrecognised"));
});

Deno.test("what answers no request of ours was not begun here", () => {
  assertEquals(read("code=123"), { outcome: "not_begun_here" });
  assertEquals(read("error=user_denied"), { outcome: "not_begun_here" });
});

for (
  const query of [
    "",
    "state=s",
    "code=&state=s",
    "code=c&state=",
    "error=&state=s",
    "code=c&state=s&iss=",
    "code=c&code=d&state=s",
    "code=c&state=s&state=t",
    "code=c&state=s&state=s",
    "error=a&error=b&state=s",
    `code=c&state=s&iss=${ISS}&iss=${ISS}`,
    "code[]=c&state=s",
    "code=c&state[]=s",
    "code=c&state=s&state[0]=t",
    "code=c&state=s&code.x=d",
    "error[]=a&state=s",
    "code=c&error=user_denied&state=s",
    "code=c&state=s&response=jwt",
    "code=c&state=s&id_token=x",
    `code=${"c".repeat(2049)}&state=s`,
    `code=c&state=${"s".repeat(2049)}`,
  ]
) {
  Deno.test(`an authorization response is invalid: ${query.slice(0, 40) || "no parameters"}`, () => {
    assertEquals(read(query), { outcome: "invalid" });
  });
}

Deno.test("whatever the parameters, a code comes only from exactly one code and one state", () => {
  const name = fc.constantFrom(
    "code",
    "state",
    "error",
    "iss",
    "code[]",
    "state[]",
    "error_description",
    "x",
  );
  const value = fc.oneof(fc.constant(""), fc.constant("https://oauth.pipedrive.com"), fc.string());
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (pairs) => {
    const response = readAuthorizationResponse(client, new URLSearchParams(pairs));
    const given = (of: string) => pairs.filter(([name]) => name === of).map(([, value]) => value);
    if (response.outcome !== "code") return;
    assertEquals(given("code"), [response.code]);
    assertEquals(given("state"), [response.state]);
    assertEquals([...given("error"), ...given("code[]"), ...given("state[]")], []);
    assertNotEquals([response.code, response.state].includes(""), true);
  }));
});

Deno.test("an issuer that is wrong, or promised and missing, is invalid", () => {
  const code = { outcome: "code" as const, code: "c", state: "s", parameters: {} };
  assertEquals(read(`code=c&state=s&iss=${ISS}`, withPkce), code);
  assertEquals(read("code=c&state=s", withPkce), { outcome: "invalid" });
  for (const iss of [`${ISS}/`, "https://evil.example", ISS.toUpperCase()]) {
    assertEquals(read(`code=c&state=s&iss=${iss}`, withPkce), { outcome: "invalid" });
    assertEquals(read(`error=access_denied&state=s&iss=${iss}`, withPkce), { outcome: "invalid" });
    assertEquals(read(`code=c&state=s&iss=${iss}`), { outcome: "invalid" });
  }
});
