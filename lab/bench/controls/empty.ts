/** A function that does nothing: what the runtime and the callers themselves can do. */
export default { fetch: () => new Response("{}", { headers: { "content-type": "application/json" } }) };
