import {
  CODES,
  methodNotAllowed,
  type PublicCode,
  PublicError,
} from "../../../supabase/functions/_shared/errors.ts";
import { asPublicError, errorResponse } from "../../../supabase/functions/_shared/http/errors.ts";
import { assert, assertEquals } from "../../support/assert.ts";

/** The contract, written down a second time: a status that changes is a mistake, or a change of the contract. */
const STATUS: Record<PublicCode, number> = {
  AUTHORIZATION_DENIED: 403,
  AUTHORIZATION_REQUEST_INVALID: 400,
  CONFIGURATION_INVALID: 500,
  CONNECTION_AMBIGUOUS: 409,
  CONNECTION_NOT_FOUND: 404,
  INTERNAL_ERROR: 500,
  INVALID_CREDENTIALS: 401,
  INVALID_REQUEST: 400,
  METHOD_NOT_ALLOWED: 405,
  MISSING_CREDENTIALS: 401,
  PROVIDER_FORBIDDEN: 403,
  PROVIDER_RATE_LIMITED: 429,
  PROVIDER_REJECTED: 400,
  PROVIDER_RESPONSE_INVALID: 502,
  PROVIDER_UNAVAILABLE: 503,
  REAUTHORIZATION_REQUIRED: 409,
  REFRESH_IN_PROGRESS: 503,
  REQUEST_NOT_ALLOWED: 403,
  STORAGE_UNAVAILABLE: 503,
  UNKNOWN_PROVIDER: 404,
};

async function answered(error: PublicError) {
  const response = errorResponse(error);
  const body: Record<string, unknown> = await response.json();
  return { status: response.status, headers: response.headers, body };
}

for (const code of Object.keys(CODES) as PublicCode[]) {
  Deno.test(`errorResponse() answers ${code} with ${STATUS[code]}`, async () => {
    const { status, headers, body } = await answered(new PublicError(code, "why"));
    assertEquals(status, STATUS[code]);
    const retryable = status === 429 || status === 503;
    assertEquals(Object.keys(body), ["code", "message", ...(retryable ? ["retry_after"] : [])]);
    assertEquals([body.code, body.message], [code, "why"]);
    assertEquals(headers.has("retry-after"), retryable);
  });
}

Deno.test("errorResponse() names the methods that would have been answered", async () => {
  const { status, headers } = await answered(methodNotAllowed(["GET", "POST"]));
  assertEquals([status, headers.get("allow")], [405, "GET, POST"]);
});

Deno.test("errorResponse() passes on the provider's own 4xx", async () => {
  assertEquals((await answered(new PublicError("PROVIDER_REJECTED", "why", { status: 404 }))).status, 404);
  assertEquals((await answered(new PublicError("PROVIDER_FORBIDDEN", "why", { status: 402 }))).status, 403);
});

Deno.test("errorResponse() tells what helps to act: ids, whole seconds, the provider's rate limits", async () => {
  const error = new PublicError("PROVIDER_RATE_LIMITED", "why", {
    connection_id: "c1",
    connections: ["c1", "c2"],
    retry_after: 1.2,
    headers: new Headers({ "x-ratelimit-remaining": "0" }),
    reason: "for the log",
  });
  const { body, headers } = await answered(error);
  assertEquals(body, {
    code: "PROVIDER_RATE_LIMITED",
    message: "why",
    retry_after: 2,
    connection_id: "c1",
    connections: ["c1", "c2"],
  });
  assertEquals([headers.get("retry-after"), headers.get("x-ratelimit-remaining")], ["2", "0"]);
  assertEquals(error.reason, "for the log");
});

Deno.test("asPublicError() tells nobody the message of an error that it does not know", () => {
  class Odd extends Error {
    override name = "canary with blanks";
  }
  for (const error of [new TypeError("canary"), new Odd("canary"), "canary", { canary: 1 }, null]) {
    const { code, status, message, reason } = asPublicError(error);
    assertEquals([code, status], ["INTERNAL_ERROR", 500]);
    assert(!JSON.stringify([message, reason]).includes("canary"));
  }
});

Deno.test("asPublicError() tells the log where an unknown error was thrown", () => {
  assert(/^TypeError at errors_test\.ts:\d+:\d+$/.test(asPublicError(new TypeError("canary")).reason));
});
