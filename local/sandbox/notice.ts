import { record } from "./journal.ts";
import { nowOf, type World } from "./world.ts";
import type { NoticeResult, UninstallRequest } from "./types.ts";

/** What Pipedrive sends once a user uninstalled: DELETE to the callback URL with the client's own credentials. */
export function sendUninstallNotice(world: World, request: UninstallRequest): Promise<NoticeResult> {
  const { client_id } = world.registration;
  const id = (value: number) => request.ids === "string" ? String(value) : value;
  const timestamp = request.timestamp === undefined
    ? new Date(nowOf(world)).toISOString()
    : request.timestamp;
  const body = {
    client_id,
    company_id: id(request.company_id),
    user_id: id(request.user_id),
    ...(timestamp === null ? {} : { timestamp }),
  };
  return send(world, "DELETE", body, noticeCredentials(world, request.credentials ?? "right"), request);
}

/** What Pipedrive sends when an installation is shared with the company, or no longer is. It is not authenticated. */
export function sendSharingNotice(
  world: World,
  request: { company_id: number; user_id: number; isShared?: boolean },
): Promise<NoticeResult> {
  const body = {
    company_id: request.company_id,
    user_id: request.user_id,
    isShared: request.isShared ?? false,
  };
  return send(world, "POST", body, {}, request);
}

function noticeCredentials(world: World, which: "right" | "wrong" | "none"): Record<string, string> {
  if (which === "none") return {};
  const { client_id, client_secret } = world.registration;
  const secret = which === "right" ? client_secret : `${client_secret}-not`;
  const bytes = new TextEncoder().encode(`${client_id}:${secret}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** Sent once, whatever comes back. Kept among the world's notices until it is answered. */
function send(
  world: World,
  method: "DELETE" | "POST",
  body: object,
  headers: Record<string, string>,
  about: { company_id: number; user_id: number },
): Promise<NoticeResult> {
  const { redirect_uri } = world.registration;
  if (redirect_uri === null) return Promise.reject(new Error("No redirect_uri is registered to notify"));
  const path = new URL(redirect_uri).pathname;
  const credentials = "authorization" in headers ? "basic" : "none";
  const entry = record(world, { method, path, kind: "notice", credentials });
  entry.company_id = about.company_id;
  entry.user_id = about.user_id;
  const notify = world.options.notify ?? fetch;
  const sent = notify(redirect_uri, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    redirect: "manual",
  }).then(async (response) => {
    await response.body?.cancel();
    entry.status = response.status;
    entry.outcome = "ok";
    return { status: response.status };
  }, () => {
    entry.outcome = "unreachable";
    return { status: null };
  });
  world.notices.add(sent);
  return sent.finally(() => world.notices.delete(sent));
}
