/** A JSON answer. */
export function json(body: unknown, status = 200, headers?: HeadersInit): Response {
  return Response.json(body, { status, headers });
}

/** Sends the browser on with a GET, whatever its method was (RFC 9110 §15.4.4, RFC 9700 §4.12). */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}
