import type { AccountIds } from "./accounts.ts";
import { type JournalEntry, nameAccount } from "./journal.ts";
import type { World } from "./world.ts";

export interface UninstallRequest extends AccountIds {
  /** Sent as it is; left out: the sandbox's time in ISO 8601; null: no such key. */
  timestamp?: string | number | null;
  /** The type of the ids in the body, "number" unless told otherwise. */
  ids?: "number" | "string";
}

/** What became of a notice; Pipedrive itself never reads it. */
export interface NoticeResult {
  /** null: no answer came. */
  status: number | null;
}

/** What Pipedrive sends once a user uninstalled: DELETE to the callback URL with the client's own credentials. */
export function sendUninstallNotice(world: World, about: UninstallRequest): Promise<NoticeResult> {
  const { client_id, client_secret } = world.registration;
  const { ids, timestamp = new Date(world.now()).toISOString() } = about;
  const [company_id, user_id] = [about.company_id, about.user_id].map((id) =>
    ids === "string" ? `${id}` : id
  );
  const body = { client_id, company_id, user_id, ...(timestamp === null ? {} : { timestamp }) };
  const credentials = new TextEncoder().encode(`${client_id}:${client_secret}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  return send(world, about, "DELETE", body, { authorization });
}

/** What Pipedrive sends when an installation is shared with the company, or no longer is. It is not authenticated. */
export function sendSharingNotice(world: World, { company_id, user_id }: AccountIds): Promise<NoticeResult> {
  const about = { company_id, user_id };
  return send(world, about, "POST", { ...about, isShared: false }, {});
}

/** Sent once, whatever comes back. */
async function send(
  world: World,
  about: AccountIds,
  method: "DELETE" | "POST",
  body: object,
  headers: Record<string, string>,
): Promise<NoticeResult> {
  const { redirect_uri } = world.registration;
  if (redirect_uri === null) throw new Error("No redirect_uri is registered to notify");
  const entry: JournalEntry = { kind: "notice", at: world.now(), status: null, outcome: "unreachable" };
  nameAccount(entry, about);
  world.journal.push(entry);
  try {
    const response = await (world.options.notify ?? fetch)(redirect_uri, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      redirect: "manual",
    });
    await response.body?.cancel();
    entry.status = response.status;
    entry.outcome = "ok";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  return { status: entry.status };
}
