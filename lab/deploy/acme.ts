import { serve, type Served } from "../../local/stack/serve.ts";

/** The client as it is registered; what HTTP Basic has to encode is in it. */
export const CLIENT = { client_id: "our client", client_secret: "a secret: +&=%" } as const;

/** What the provider of docs/another-provider.md would be: it follows the RFCs, and forgives nothing. */
export class Acme {
  /** The registered redirect URI. */
  redirect_uri = "";
  /** What was asked of the API, the account request apart. */
  readonly calls: string[] = [];
  readonly #served: Served;
  /** What an authorization request said, by the code that it brought. */
  readonly #codes = new Map<string, URLSearchParams>();
  readonly #tokens = new Set<string>();

  constructor() {
    this.#served = serve(0, (request) => this.#answer(request));
  }

  get origin(): string {
    return this.#served.origin;
  }

  stop(): Promise<void> {
    return this.#served.stop();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/authorize") return this.#authorize(searchParams);
    if (pathname === "/token") return await this.#token(request);
    const bearer = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    if (!this.#tokens.has(bearer)) return Response.json({ error: "invalid_token" }, { status: 401 });
    if (pathname === "/me") return Response.json({ id: 7, name: "Jane", email: "jane@example.com" });
    this.calls.push(`${request.method} ${pathname}`);
    return Response.json({ deals: [pathname] });
  }

  /** A user who allows whatever is asked rightly (RFC 6749 §4.1.1, RFC 7636 §4.3). */
  #authorize(asked: URLSearchParams): Response {
    const wanted = {
      response_type: "code",
      client_id: CLIENT.client_id,
      redirect_uri: this.redirect_uri,
      scope: "offline_access deals:read",
      code_challenge_method: "S256",
    };
    const wrong = Object.entries(wanted).find(([name, value]) => asked.getAll(name).join("\n") !== value);
    const state = asked.get("state");
    if (wrong || !state) return new Response(`${wrong?.[0] ?? "state"} is wrong`, { status: 400 });
    const code = crypto.randomUUID();
    this.#codes.set(code, asked);
    return Response.redirect(`${this.redirect_uri}?${new URLSearchParams({ code, state })}`);
  }

  /** RFC 6749 §4.1.3; a code works once. */
  async #token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    const asked = this.#codes.get(form.get("code") ?? "");
    this.#codes.delete(form.get("code") ?? "");
    const [id, secret] = [CLIENT.client_id, CLIENT.client_secret].map((text) =>
      `${new URLSearchParams({ text })}`.slice(5)
    );
    const known = request.headers.get("authorization") === `Basic ${btoa(`${id}:${secret}`)}`;
    if (!known || form.has("client_secret")) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    const proved = await challengeOf(form.get("code_verifier") ?? "") === asked?.get("code_challenge");
    const code = form.get("grant_type") === "authorization_code" &&
      form.get("redirect_uri") === this.redirect_uri;
    if (!proved || !code) return Response.json({ error: "invalid_grant" }, { status: 400 });
    const access_token = crypto.randomUUID();
    this.#tokens.add(access_token);
    const given = {
      access_token,
      refresh_token: crypto.randomUUID(),
      token_type: "Bearer",
      expires_in: 3600,
    };
    return Response.json({ ...given, scope: asked?.get("scope") });
  }
}

/** RFC 7636 §4.6. */
async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
}
