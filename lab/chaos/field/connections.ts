import type postgres from "postgres";
import { controlOf, type SandboxControl, type TokenResponse } from "../../../local/sandbox/mod.ts";
import { connectionId } from "../../../supabase/functions/_shared/connect/connection_id.ts";
import { Keyring } from "../../../supabase/functions/_shared/keep/seal.ts";
import { openGrant, sealTokenSet } from "../../../supabase/functions/_shared/keep/token_set.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./journal.ts";

export interface Connected {
  readonly id: string;
  readonly user_id: string;
  readonly account_key: string;
  readonly provider: string;
}

/** A provider, and who asks it. */
interface Revoker {
  readonly origin: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
}

const AT_ONCE = 16;
const PROVIDER = "pipedrive";

/** Makes connections in bulk: granted by the provider, sealed and stored as a completed authorization stores them. */
export class Connections {
  constructor(
    private readonly sql: postgres.Sql,
    private readonly our: { readonly setting: string; readonly client_id: string },
    private readonly grants: Grants,
    private readonly journal: Journal,
  ) {}

  /** @param provider the origin of the sandbox that grants */
  async make(count: number, provider: string): Promise<Connected[]> {
    const control = controlOf(provider);
    const made: Connected[] = [];
    while (made.length < count) {
      const batch = Math.min(AT_ONCE, count - made.length);
      made.push(...await Promise.all(Array.from({ length: batch }, () => this.#one(control, provider))));
    }
    return made;
  }

  async #one(control: SandboxControl, provider: string): Promise<Connected> {
    const connected = await this.user(`1:${crypto.getRandomValues(new Uint32Array(1))[0]}`, provider);
    await this.connect(connected, await control.grant());
    return connected;
  }

  /** Somebody who may connect this account, and has not yet. */
  async user(account_key: string, provider: string): Promise<Connected> {
    const user_id = crypto.randomUUID();
    const id = await connectionId(PROVIDER, account_key, user_id);
    await this.sql`insert into auth.users (id) values (${user_id})`;
    return { id, user_id, account_key, provider };
  }

  /** Several users who have each connected the same account. */
  async share(count: number, provider: string): Promise<Connected[]> {
    const account_key = `1:${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    return await Promise.all(Array.from({ length: count }, async () => {
      const connected = await this.user(account_key, provider);
      await this.connect(connected, await controlOf(provider).grant());
      return connected;
    }));
  }

  /** Connects, or connects again, with tokens of a new authorization. */
  async connect({ id, user_id, account_key, provider }: Connected, tokens: TokenResponse): Promise<void> {
    const { access_token, refresh_token = "", scope, expires_in } = tokens;
    const keyring = await Keyring.parse(this.our.setting);
    const sealed = await sealTokenSet(keyring, { id, provider: PROVIDER }, {
      access_token,
      refresh_token,
      values: { api_domain: provider },
    });
    await this.sql`
      select from public.oauth_connect(
        p_id => ${id}, p_user_id => ${user_id}, p_provider => ${PROVIDER}, p_account_key => ${account_key},
        p_account_name => null, p_account_email => null, p_scope => ${scope.replaceAll(",", " ")},
        p_access_token_sealed => ${sealed.access_token_sealed},
        p_refresh_token_sealed => ${sealed.refresh_token_sealed}, p_key_id => ${sealed.key_id},
        p_expires_in_ms => ${Number(expires_in) * 1000}, p_elapsed_ms => 0, p_request_id => null,
        p_client_id => ${this.our.client_id})`;
    await this.#learn(refresh_token, { id, provider });
  }

  /** Learns of tokens that somebody has connected with over HTTP. */
  async adopt({ id, provider }: Connected): Promise<void> {
    const [row] = await this.sql`
      select refresh_token_sealed as sealed from oauth.token_sets where connection_id = ${id}`;
    const keyring = await Keyring.parse(this.our.setting);
    const grant = await openGrant(keyring, { id, provider: PROVIDER }, String(row?.sealed));
    await this.#learn(grant.refresh_token ?? "", { id, provider });
  }

  async #learn(token: string, { id, provider }: Pick<Connected, "id" | "provider">): Promise<void> {
    const [row] = await this.sql`
      select max(version) as version from oauth.events where connection_id = ${id} and kind = 'connected'`;
    const version = Number(row?.version);
    this.grants.learn(token, { connection: id, version, provider });
    this.journal.record({ what: "connected", connection: id, version });
  }

  /** The user ends the authorization at the provider: no notice comes, and nothing of ours is told. */
  async withdraw(connections: readonly Connected[], { origin, client }: Revoker): Promise<void> {
    for (const { id } of connections) {
      const token = this.grants.current(id);
      if (token === undefined) throw new Error("the connection has no token that is known");
      const answer = await fetch(`${origin}/oauth/revoke`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
        body: new URLSearchParams({ token: token.token }),
      });
      await answer.body?.cancel();
      this.journal.record({ what: "revoked", connection: id, version: token.version, seat: null });
    }
  }

  /**
   * Their access tokens end, and become due for a refresh, this long from now by the database's clock, milliseconds.
   * As it stands: both are past.
   */
  async expire(connections: readonly Connected[], in_ms = -1_000, window_ms = 60_000): Promise<void> {
    await this.sql`
      update oauth.connections
      set access_expires_at = clock_timestamp() + ${in_ms} * interval '1 ms',
          refresh_after = clock_timestamp() + ${in_ms - window_ms} * interval '1 ms'
      where id = any(${connections.map(({ id }) => id)}) and status = 'active'`;
  }
}
