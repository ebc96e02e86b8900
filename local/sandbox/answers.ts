/** The answers that Pipedrive has for trouble, word for word where they are known. */

/** Ends a request: thrown wherever something is wrong with it. */
export class Refusal {
  /** @param outcome the reason, in the journal's words */
  constructor(readonly outcome: string, readonly response: Response) {}
}

const INFO = "Please check developers.pipedrive.com";

/** Refused before the API was reached: no data keys, `errorCode` repeats the status. */
export function gatewayError(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json(
    { success: false, error, errorCode: status, error_info: INFO },
    { status, headers: { "x-correlation-id": crypto.randomUUID(), ...headers } },
  );
}

export function unauthorized(): Response {
  return gatewayError(401, "unauthorized access", { "x-401-by-gw": "true" });
}

export function scopeMismatch(): Response {
  return gatewayError(403, "Scope and URL mismatch");
}

/** Pipedrive documents the text, not the body. */
export function overLimit(): Response {
  return gatewayError(429, "request over limit");
}

/** Refused by the API itself. */
export function apiError(status: number, error: string, more: object = {}): Response {
  const body = { success: false, error, error_info: INFO, data: null, additional_data: null, ...more };
  return Response.json(body, { status });
}

/** The token endpoint's error: `message` where RFC 6749 has `error_description`. */
export function oauthError(status: number, error: string, message: string): Response {
  return Response.json({ success: false, message, error }, { status });
}

/** With the challenge that a request with an Authorization header gets; Pipedrive's page says 400, the field 401. */
export function invalidClient(status: 401 | 400, message = "Invalid client: client is invalid"): Response {
  const response = oauthError(status, "invalid_client", message);
  if (status === 401) response.headers.set("www-authenticate", 'Basic realm="Service"');
  return response;
}

export function html(status: number, title: string): Response {
  const page = `<!doctype html><html lang="en"><head><title>${title}</title></head>` +
    `<body><h1>${title}</h1></body></html>`;
  return new Response(page, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
