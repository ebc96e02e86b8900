import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { SandboxControl, UserChoice } from "../sandbox/mod.ts";

export interface Connection {
  readonly id: string;
  readonly provider: string;
  readonly status: string;
  readonly account: { readonly id: string; readonly name?: string; readonly email?: string };
  readonly scope: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly access_expires_at: string | null;
}

export interface Search {
  readonly data: { readonly items: readonly { readonly item: { readonly name: string } }[] };
}

/** A function's answer that is not a success. */
export class Refused extends Error {
  constructor(readonly status: number, readonly body: Record<string, unknown>, readonly headers: Headers) {
    super(String(body.code ?? `status ${status}`));
  }
}

/** A user of an application, on the real supabase-js client, doing what a front end does. */
export class AppUser {
  readonly supabase: SupabaseClient;
  id = "";

  constructor(api: { readonly api_url: string; readonly publishable_key: string }) {
    this.supabase = createClient(api.api_url, api.publishable_key, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
  }

  async signUp(name: string): Promise<this> {
    const email = `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
    const { data, error } = await this.supabase.auth.signUp({ email, password: crypto.randomUUID() });
    if (error) throw error;
    this.id = data.user?.id ?? "";
    return this;
  }

  /** @throws {Refused} with the function's code as its message */
  async invoke<T>(path: string, body: object = {}): Promise<T> {
    const { data, error } = await this.supabase.functions.invoke(path, { body });
    if (!error) return data;
    const answer: unknown = error.context;
    if (!(answer instanceof Response)) throw error;
    throw new Refused(answer.status, await answer.json(), answer.headers);
  }

  /** Begins, walks through the consent page, comes back, completes. */
  async connect(control: SandboxControl, user?: UserChoice): Promise<Connection> {
    const begun = await this.begin();
    const ticket = await followRedirect(control, begun.authorization_url, user);
    return await this.complete(ticket, begun.binding);
  }

  begin(return_to = "/"): Promise<{ authorization_url: string; binding: string; expires_at: string }> {
    return this.invoke("oauth-callback/pipedrive/authorize", { return_to });
  }

  async complete(ticket: string, binding: string): Promise<Connection> {
    const path = "oauth-callback/pipedrive/complete";
    return (await this.invoke<{ connection: Connection }>(path, { ticket, binding })).connection;
  }

  async disconnect(connection_id: string): Promise<Connection> {
    const path = "oauth-callback/pipedrive/disconnect";
    return (await this.invoke<{ connection: Connection }>(path, { connection_id })).connection;
  }

  search(term: string, connection_id?: string): Promise<Search> {
    return this.invoke("search-persons", { term, ...(connection_id && { connection_id }) });
  }
}

/** The browser's part: allow at the provider, land on the application with a ticket. */
export async function followRedirect(
  control: SandboxControl,
  authorization_url: string,
  user?: UserChoice,
): Promise<string> {
  const redirect = await control.authorize({ authorization_url, ...(user !== undefined && { user }) });
  const answer = await fetch(redirect, { redirect: "manual" });
  await answer.body?.cancel();
  const landing = new URL(answer.headers.get("location") ?? "about:blank");
  const ticket = new URLSearchParams(landing.hash.slice(1)).get("oauth_ticket");
  if (ticket === null) throw new Error(`landed without a ticket: ${landing.hash}`);
  return ticket;
}
