import type { SandboxControl } from "./control.ts";

const NAMES =
  "accounts advance_clock authorize clear_faults configure counts expire_access_tokens fail_next grant " +
  "install installations journal register revoke send_app_sharing_notice uninstall";
const PATH = /^\/_control\/(\w+)$/;
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Controls a sandbox that is served elsewhere; its errors come back as errors. */
export function controlOf(origin: string): SandboxControl {
  const methods = NAMES.split(" ").map((name) => [
    name,
    async (argument: unknown = null) => {
      const response = await fetch(`${origin}/_control/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(argument),
      });
      const { result, error } = await response.json();
      if (error !== undefined) throw new Error(error);
      return result ?? undefined;
    },
  ]);
  return Object.fromEntries(methods);
}

/**
 * The control interface over HTTP: POST `/_control/{method}` with one JSON argument → `{ result }` or 400 `{ error }`.
 *
 * Only for this machine: the Host must be loopback (a page elsewhere cannot rebind its name to us), the type must be
 * JSON (a plain form cannot be posted across sites), and only pages on loopback may read the answer.
 *
 * @returns null when the path is not a control path.
 */
export async function answerControl(control: SandboxControl, request: Request): Promise<Response | null> {
  const url = new URL(request.url);
  const name = PATH.exec(url.pathname)?.[1];
  if (name === undefined) return null;
  const headers = corsHeaders(request.headers.get("origin"));
  if (!LOOPBACK.has(url.hostname)) return Response.json({ error: "Loopback only" }, { status: 403 });
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const type = request.headers.get("content-type") ?? "";
  if (request.method !== "POST" || !type.startsWith("application/json")) {
    return Response.json({ error: "POST one JSON argument" }, { status: 405, headers });
  }
  if (!Object.hasOwn(control, name)) {
    return Response.json({ error: `There is no control "${name}"` }, { status: 404, headers });
  }
  try {
    const method = control[name as keyof SandboxControl] as (argument?: unknown) => Promise<unknown>;
    const result = await method(await request.json() ?? undefined);
    return Response.json({ result: result ?? null }, { headers });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return Response.json({ error: message }, { status: 400, headers });
  }
}

function corsHeaders(origin: string | null): Record<string, string> {
  if (origin === null || !URL.canParse(origin) || !LOOPBACK.has(new URL(origin).hostname)) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    vary: "origin",
  };
}
