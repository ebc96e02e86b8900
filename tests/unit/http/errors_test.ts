import { EnvError } from "@supabase/server";
import {
  type ErrorDetails,
  methodNotAllowed,
  OAuthError,
  ProviderUnreachable,
  type PublicCode,
  PublicError,
  UnexpectedResponse,
} from "../../../supabase/functions/_shared/errors.ts";
import { failureOf } from "../../../supabase/functions/_shared/http/errors.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const STATUS: Partial<Record<PublicCode, number>> = {
  AUTHORIZATION_DENIED: 403,
  AUTHORIZATION_REQUEST_INVALID: 400,
  CONFIGURATION_INVALID: 500,
  CONNECTION_AMBIGUOUS: 409,
  CONNECTION_NOT_FOUND: 404,
  PROVIDER_FORBIDDEN: 403,
  PROVIDER_RATE_LIMITED: 429,
  PROVIDER_REJECTED: 400,
  PROVIDER_RESPONSE_INVALID: 502,
  PROVIDER_UNAVAILABLE: 503,
  REAUTHORIZATION_REQUIRED: 409,
  REFRESH_IN_PROGRESS: 503,
  STORAGE_UNAVAILABLE: 503,
};

for (const [code, status] of Object.entries(STATUS)) {
  Deno.test(`failureOf() answers ${code} with ${status}`, () => {
    const failure = failureOf(new PublicError(code as PublicCode, "why"));
    assertEquals(failure.status, status);
    assertEquals([failure.body.code, failure.body.message], [code, "why"]);
    const retryable = status === 429 || status === 503;
    assertEquals(failure.headers.has("retry-after"), retryable);
    assertEquals("retry_after" in failure.body, retryable);
  });
}

Deno.test("failureOf() answers what the caller got wrong with 400, 401, 404 and 405", () => {
  const statuses =
    (["INVALID_REQUEST", "MISSING_CREDENTIALS", "INVALID_CREDENTIALS", "UNKNOWN_PROVIDER"] as const)
      .map((code) => failureOf(new PublicError(code, "why")).status);
  assertEquals(statuses, [400, 401, 401, 404]);
  const { status, headers } = failureOf(methodNotAllowed(["GET", "POST"]));
  assertEquals([status, headers.get("allow")], [405, "GET, POST"]);
});

Deno.test("failureOf() passes on the provider's own 4xx", () => {
  assertEquals(failureOf(new PublicError("PROVIDER_REJECTED", "why", { status: 404 })).status, 404);
  assertEquals(failureOf(new PublicError("PROVIDER_FORBIDDEN", "why", { status: 402 })).status, 403);
});

Deno.test("failureOf() tells what helps to act: ids, whole seconds, the provider's rate limits", () => {
  const details: ErrorDetails = {
    connection_id: "c1",
    connections: ["c1", "c2"],
    retry_after: 1.2,
    headers: new Headers({ "x-ratelimit-remaining": "0" }),
  };
  const { body, headers } = failureOf(new PublicError("PROVIDER_RATE_LIMITED", "why", details));
  assertEquals(body, {
    code: "PROVIDER_RATE_LIMITED",
    message: "why",
    retry_after: 2,
    connection_id: "c1",
    connections: ["c1", "c2"],
  });
  assertEquals([headers.get("retry-after"), headers.get("x-ratelimit-remaining")], ["2", "0"]);
});

Deno.test("failureOf() gives an error of the protocol that rose this far a code", () => {
  const unreachable = failureOf(new ProviderUnreachable("timeout", true, undefined, 3000));
  assertEquals([unreachable.code, unreachable.headers.get("retry-after")], ["PROVIDER_UNAVAILABLE", "3"]);
  assertEquals(failureOf(new OAuthError("invalid_scope", 400)).code, "PROVIDER_RESPONSE_INVALID");
  assertEquals(failureOf(new UnexpectedResponse("not JSON", 200)).code, "PROVIDER_RESPONSE_INVALID");
  assertEquals(failureOf(new EnvError("SUPABASE_URL is required")).code, "CONFIGURATION_INVALID");
});

Deno.test("failureOf() tells nobody the message of an error that it does not know", () => {
  class Odd extends Error {
    override name = "canary with blanks";
  }
  for (const error of [new TypeError("canary"), new Odd("canary"), "canary", { canary: 1 }, null]) {
    const { code, status, body, reason } = failureOf(error);
    assertEquals([code, status], ["INTERNAL_ERROR", 500]);
    assert(!JSON.stringify([body, reason]).includes("canary"));
  }
});

Deno.test("failureOf() tells the log where an unknown error was thrown", () => {
  assert(/^TypeError at errors_test\.ts:\d+:\d+$/.test(failureOf(new TypeError("canary")).reason));
});

Deno.test("failureOf() tells the log a protocol's word, and nothing that is not one", () => {
  assertEquals(failureOf(new OAuthError("invalid_grant", 400)).reason, "invalid_grant");
  assert(!failureOf(new OAuthError("canary: 4711", 400)).reason.includes("canary"));
});
