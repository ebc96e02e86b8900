import { CLIENT } from "../client.ts";
import type {
  Answer,
  ApiFacts,
  Asked,
  AuthorizationFacts,
  ClientAuthentication,
  Issued,
  LifeFacts,
  Limit,
  RefusalKind,
  RevocationFacts,
  TokenFacts,
} from "../types.ts";

/** In seconds. */
export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const NO_BODY: Answer = { status: 204, body: null };

export function answer(status: number, body: unknown): Answer {
  return { status, body };
}

/** RFC 6749 §5.2. */
export function oauthError(error: string, status = 400, more: object = {}): Answer {
  return answer(status, { error, ...more });
}

/** A refusal of each kind, all of one shape. */
export function refusals(shape: (error: string, status: number) => Answer): Record<RefusalKind, Answer> {
  return {
    invalid_request: shape("invalid_request", 400),
    invalid_client: shape("invalid_client", 401),
    invalid_code: shape("invalid_grant", 400),
    invalid_scope: shape("invalid_scope", 400),
    unsupported_grant_type: shape("unsupported_grant_type", 400),
    too_many: shape("slow_down", 429),
  };
}

/** RFC 6749 §5.1. */
export function bearer({ access_token, refresh_token, expires_in, scope }: Issued) {
  return { access_token, token_type: "Bearer", expires_in, refresh_token, scope: scope.join(" ") };
}

/** The refresh token comes with the first answer alone. */
export function bearerOnce(issued: Issued) {
  const { refresh_token, ...rest } = bearer(issued);
  return issued.grant_type === "authorization_code" ? { ...rest, refresh_token } : rest;
}

export function always(): boolean {
  return true;
}

export function withScope(...names: string[]): (asked: Asked) => boolean {
  return ({ scope }) => names.some((name) => scope.includes(name));
}

/** `access_type=offline`; a user who has allowed it before must be asked again, or no refresh token comes. */
export function withAccessType({ parameters, again }: Asked): boolean {
  const prompts = parameters.get("prompt")?.split(" ") ?? [];
  return parameters.get("access_type") === "offline" && (!again || prompts.includes("consent"));
}

export function lives(access: number, refresh = Infinity): LifeFacts["lifetimes"] {
  return () => ({ access, refresh });
}

/** `Retry-After`, in seconds. */
export function retryAfter(body: unknown, wait = 30): Limit {
  return { status: 429, body, headers: () => ({ "retry-after": String(wait) }), wait };
}

/** RFC 7009 with the client authentication of the token endpoint; a refresh token ends all, an access token itself. */
export function rfc7009(
  url: string,
  auth: readonly ClientAuthentication[] = ["body"],
  more: Partial<RevocationFacts> = {},
): RevocationFacts {
  return {
    url,
    method: "POST",
    auth,
    formats: ["form"],
    parameter: "token",
    ends: { access: "token", refresh: "grant" },
    success: answer(200, null),
    unknown: answer(200, null),
    ...more,
  };
}

/** An ID token of an hour (OpenID Connect Core §2), only where `openid` was asked for. Its signature proves nothing. */
export function idToken({ scope, issued_at }: Issued, claims: Readonly<Record<string, unknown>>) {
  if (!scope.includes("openid")) return undefined;
  const iat = Math.floor(issued_at / 1000);
  const payload = { aud: CLIENT.client_id, iat, nbf: iat, exp: iat + HOUR, ...claims };
  return [{ alg: "RS256", typ: "JWT" }, payload, "no signature"].map(base64url).join(".");
}

function base64url(part: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(part));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What most have, and RFC 6749 §4.1.1 has. */
export const AUTHORIZATION: Omit<AuthorizationFacts, "endpoint"> = {
  also: [],
  required: { response_type: "code" },
  redirect_uri: "required",
  code_challenge: "verified",
  scope_parameters: ["scope"],
  scope_separators: [" "],
  scope_required: false,
  offline: always,
  redirect: {},
};

export const TOKEN: Omit<TokenFacts, "endpoints"> = {
  strangers: [],
  client_authentication: ["body"],
  format: "form",
  answer: bearer,
  form_unless_json_accepted: false,
  refused: refusals(oauthError),
  over: [oauthError("invalid_grant")],
};

/** The strictest. */
export const LIFE: Omit<LifeFacts, "lifetimes"> = {
  rotation: "single_use",
  refresh_end: Infinity,
  renews_after: 0,
  reuse_grace: 0,
  refresh_ends_access: false,
  most_grants: Infinity,
  most_in_ten_minutes: Infinity,
};

export const API: Omit<ApiFacts, "base" | "thing"> = {
  scheme: "Bearer",
  headers: [],
  envelope: {},
  accounts: [],
  insufficient_scope: oauthError("insufficient_scope", 403),
  dead: [oauthError("invalid_token", 401)],
  limits: [retryAfter({ error: "too many requests" })],
};
