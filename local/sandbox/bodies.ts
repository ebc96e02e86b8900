/** The answers Pipedrive has for trouble, word for word where they are known. */

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

/** The documented text for an access token that was good once. */
export function invalidToken(): Response {
  return gatewayError(401, "Invalid token: access token is invalid");
}

export function scopeMismatch(): Response {
  return gatewayError(403, "Scope and URL mismatch");
}

/** Refused by the API itself. */
export function apiError(status: number, error: string, code?: string): Response {
  const body = { success: false, error, error_info: INFO, data: null, additional_data: null };
  return Response.json(code === undefined ? body : { ...body, code }, { status });
}

export function schemaError(error: string): Response {
  return apiError(400, error, "ERR_SCHEMA_VALIDATION_FAILED");
}

/** The token endpoint's error: `message` where RFC 6749 has `error_description`. */
export function oauthError(
  status: number,
  error: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ success: false, message, error }, { status, headers });
}

/** `invalid_client` with the challenge that a request with credentials gets. */
export function invalidClient(status: 401 | 400): Response {
  const headers: Record<string, string> = status === 401
    ? { "www-authenticate": 'Basic realm="Service"' }
    : {};
  return oauthError(status, "invalid_client", "Invalid client: client is invalid", headers);
}

export function html(status: number, title: string): Response {
  const page = `<!doctype html><html lang="en"><head><title>${title}</title></head>` +
    `<body><h1>${title}</h1></body></html>`;
  return new Response(page, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
