import { FACTS } from "../../support/stand_in/facts.ts";
import type { Answer, ClientAuthentication, Facts, RefusalKind } from "../../support/stand_in/types.ts";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "../../support/assert.ts";
import {
  type Change,
  connected,
  type Deviation,
  type Scene,
  scene,
  tokensOf,
  type Told,
} from "./stand_in_scene.ts";

const ALL = [...FACTS.values()];
/** Those whose answer to a code has a refresh token. */
const WITH_REFRESH = ALL.filter(({ name }) => name !== "linkedin");

function answerOf({ token }: Facts, kind: RefusalKind | "over"): Answer | undefined {
  return kind === "over" ? token.over[0] : token.refused[kind];
}

function assertTold({ status, body }: Told, expected: Answer | undefined): void {
  assertEquals([status, body], [expected?.status, expected?.body]);
}

Deno.test("the stand-in knows fifteen providers", () => {
  assertEquals(ALL.length, 15);
  assertEquals(FACTS.size, ALL.length);
});

for (const facts of ALL) {
  Deno.test(`${facts.name}: a request as its facts have it is served, all its life long`, async () => {
    const of = scene(facts);
    const tokens = await connected(of);
    assertEquals(tokens.refresh_token !== undefined, WITH_REFRESH.includes(facts));
    const refreshed = tokens.refresh_token === undefined ? tokens : tokensOf(await of.refresh(tokens));
    assertEquals((await of.ask(refreshed.access_token)).status, 200);
    for (const { method, url, query } of facts.api.accounts.filter((own) => own.method === "GET")) {
      const asked = `${url}?${new URLSearchParams({ ...query })}`;
      assertEquals([method, (await of.ask(refreshed.access_token, asked)).status], ["GET", 200]);
    }
    assertEquals(of.stand_in.journal.filter(({ refused }) => refused !== undefined), []);
  });

  Deno.test(`${facts.name}: an authorization request that is wrong is refused, and told why`, () => {
    const of = scene(facts);
    const wrong: [Change, string][] = [
      [{ client_id: "another" }, '"client_id" is unknown'],
      [{ redirect_uri: "https://evil.example/" }, '"redirect_uri" is not the registered one'],
      [{ redirect_uri: `${of.stand_in.redirect_uri}/` }, '"redirect_uri" is not the registered one'],
      [{ response_type: "token" }, '"response_type" is not "code"'],
      [{ response_mode: "fragment" }, '"response_mode" is not "query"'],
      ...Object.keys(facts.authorization.required).map((name): [Change, string] => [
        { [name]: null },
        `"${name}" is missing`,
      ]),
      ...wrongChallenges(facts),
      ...wrongScopes(facts),
    ];
    for (const [change, message] of wrong) assertThrows(() => of.authorize(change), Error, message);
    const elsewhere = of.authorizationUrl().replace("?", "/?");
    assertThrows(() => of.stand_in.authorize(elsewhere), Error, "is not the authorization endpoint");
    const twice = `${of.authorizationUrl()}&state=another`;
    assertThrows(() => of.stand_in.authorize(twice), Error, '"state" is there more than once');
    assertEquals(of.stand_in.journal.map(({ status }) => status), [0, 0, ...wrong.map(() => 0)]);
  });

  for (const [what, kind, refused, send] of tokenRequests()) {
    Deno.test(`${facts.name}: ${what} is refused`, async () => {
      const of = scene(facts);
      assertTold(await send(of), answerOf(facts, kind));
      assertStringIncludes(of.refused() ?? "", refused);
    });
  }

  Deno.test(`${facts.name}: the client is believed by its own ways alone`, async () => {
    const ways: ClientAuthentication[] = ["body", "basic_raw", "basic_urlencoded"];
    for (const way of ways) {
      const of = scene(facts);
      const told = await of.exchange(of.authorize(), {}, { way });
      if (facts.token.client_authentication.includes(way)) tokensOf(told);
      else assertTold(told, facts.token.refused.invalid_client);
    }
  });

  Deno.test(`${facts.name}: dead tokens, an ended grant and a limit are told by its signals`, async () => {
    for (const [at, answer] of facts.api.dead.entries()) {
      const of = scene(facts);
      const { access_token } = await connected(of);
      of.stand_in.endAccessTokens(at);
      assertTold(await of.ask(access_token), answer);
      assertEquals(of.stand_in.alive().access_tokens, 0);
    }
    for (const [at, answer] of facts.token.over.entries()) {
      const of = scene(facts);
      const tokens = await connected(of);
      of.stand_in.endGrant(at);
      assertTold(await of.ask(tokens.access_token), facts.api.dead[0]);
      if (WITH_REFRESH.includes(facts)) assertTold(await of.refresh(tokens), answer);
      assertEquals(of.stand_in.alive(), { access_tokens: 0, refresh_tokens: 0 });
    }
    for (const [at, limit] of facts.api.limits.entries()) {
      const of = scene(facts);
      const { access_token } = await connected(of);
      of.stand_in.limitNext(at);
      const { status, headers } = await of.ask(access_token);
      assertEquals(status, limit.status);
      const expected = limit.headers(Date.parse(headers.get("date") ?? ""));
      for (const [name, value] of Object.entries(expected)) assertEquals(headers.get(name), value);
      assertEquals((await of.ask(access_token)).status, 200);
    }
  });
}

function wrongChallenges({ authorization }: Facts): [Change, string][] {
  if (authorization.code_challenge === "refused") {
    return [[{ code_challenge: "x".repeat(43) }, '"code_challenge" is not taken']];
  }
  const none: Change = { code_challenge: null, code_challenge_method: null };
  return [
    [{ code_challenge_method: "plain" }, '"code_challenge_method" is not "S256"'],
    [{ code_challenge_method: null }, '"code_challenge_method" is not "S256"'],
    [{ code_challenge: "short" }, '"code_challenge" is malformed'],
    ...(authorization.code_challenge === "required"
      ? [[none, '"code_challenge" is missing'] satisfies [Change, string]]
      : []),
  ];
}

function wrongScopes({ authorization }: Facts): [Change, string][] {
  const { scope_separators: separators, scope_required } = authorization;
  if (separators.length === 0) return [[{ scope: "read" }, '"scope" is not taken']];
  const wrong: [Change, string][] = ["", "read  write", "read,write all"].map((scope) => [
    { scope },
    '"scope" is malformed',
  ]);
  for (const separator of [" ", ","] as const) {
    if (separators.includes(separator)) continue;
    wrong.push([{ scope: `read${separator}write` }, '"scope" is malformed']);
  }
  if (scope_required) wrong.push([{ scope: null }, '"scope" is missing']);
  return wrong;
}

type WrongRequest = [string, RefusalKind | "over", string, (of: Scene) => Promise<Told>];

function tokenRequests(): WrongRequest[] {
  const exchange = (change: Change, deviation?: Deviation) => (of: Scene) =>
    of.exchange(of.authorize(), change, deviation);
  const other = ({ token }: Facts) => token.format === "form" ? "json" : "form";
  return [
    ["a code that is unknown", "invalid_code", "the code is unknown", exchange({ code: "another" })],
    ["a code that has expired", "invalid_code", "the code has expired", (of) => {
      const redirect = of.authorize();
      of.time.ms += 300_000;
      return of.exchange(redirect);
    }],
    ["another redirect_uri", "invalid_code", '"redirect_uri"', exchange({ redirect_uri: "https://a.b/" })],
    ["a redirect_uri that is missing", "invalid_code", '"redirect_uri"', exchange({ redirect_uri: null })],
    ["another verifier", "invalid_code", '"code_verifier"', exchange({ code_verifier: "x".repeat(43) })],
    ["another secret", "invalid_client", "not proved", exchange({}, { secret: "s3cr t%:/&=~ x" })],
    ["no secret", "invalid_client", "not proved", exchange({}, { way: "none" })],
    ["a client that authenticates twice", "invalid_request", "twice", exchange({}, { way: "twice" })],
    ["no grant type", "invalid_request", '"grant_type" is missing', exchange({ grant_type: null })],
    ["a grant type of its own", "unsupported_grant_type", "password", exchange({ grant_type: "password" })],
    ["a GET", "invalid_request", "the method is GET", exchange({}, { method: "GET" })],
    [
      "the other format",
      "invalid_request",
      "the body is",
      (of) => of.exchange(of.authorize(), {}, { format: other(of.facts) }),
    ],
    ["a refresh token that is unknown", "over", "unknown", (of) => of.refresh({ access_token: "" })],
  ];
}

Deno.test("nothing is sent to a host that is not the provider's, and the journal tells of it", async () => {
  for (const facts of ALL) {
    const { stand_in } = scene(facts);
    const sent = () => stand_in.fetch("https://evil.example/oauth/token");
    await assertRejects(sent, TypeError, "nothing is sent");
    assertEquals(stand_in.journal, [{ endpoint: "elsewhere", status: 0, refused: "https://evil.example" }]);
  }
});
