import { createGateway } from "../../../local/stack/gateway.ts";
import type { Keys } from "../../../local/stack/keys.ts";
import { controlOf, type SandboxControl } from "../../../local/sandbox/mod.ts";
import { serve } from "../../../local/stack/serve.ts";
import { Undo } from "../../../local/stack/undo.ts";
import { UserTokens } from "../../../local/stack/user_tokens.ts";
import { type Child, startChild } from "./child.ts";
import { type Connected, Connections } from "./connections.ts";
import type { Database } from "./database.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";
import { Grants } from "./grants.ts";
import { layGround } from "./ground.ts";
import { Journal } from "./journal.ts";
import type { Mode } from "./rest_process.ts";
import { type Parked, Site } from "./site.ts";
import { watchTakeovers } from "./takeovers.ts";
import type { Traits } from "./traits.ts";

/** A provider in a process of its own. */
export interface FieldProvider {
  readonly origin: string;
  readonly control: SandboxControl;
  readonly client: { readonly client_id: string; readonly client_secret: string };
}

/** What makes a fleet differ from others. */
interface Extra {
  readonly env?: Record<string, string>;
  readonly skew?: readonly number[];
  readonly traits?: Traits;
}

const CLIENT = { client_id: "reliability", client_secret: "known-on-this-machine-only" };
/** How long the lenient provider takes a spent token: longer than a lease, as its documentation would promise. */
const GRACE_MS = 10 * 60_000;

/**
 * Everything a run needs, on this machine: PostgreSQL, REST and providers of each kind, each in a process of its own;
 * fleets of the real functions are added as scenarios ask for them.
 */
export class Field {
  readonly journal: Journal;
  readonly grants: Grants;
  readonly #undo: Undo;
  readonly #fleets = new Map<string, Promise<Site>>();
  #opening: Promise<void> = Promise.resolve();

  private constructor(
    undo: Undo,
    readonly keys: Keys,
    readonly database: Database,
    readonly strict: FieldProvider,
    readonly lenient: FieldProvider,
    /** Ends an authorization when a spent refresh token of it is presented. */
    readonly revoking: FieldProvider,
    /** Strict, and for one scenario alone: what breaks it touches no other. */
    readonly moody: FieldProvider,
    readonly connections: Connections,
    readonly rest_origin: string,
    made: { journal: Journal; grants: Grants },
  ) {
    this.#undo = undo;
    this.journal = made.journal;
    this.grants = made.grants;
  }

  static async start(): Promise<Field> {
    return await Undo.around((undo) => Field.#start(undo));
  }

  static async #start(undo: Undo): Promise<Field> {
    const { keys, database } = await layGround(undo, "reliability");
    const rest = await startChild<{ origin: string }>(new URL("./rest_process.ts", import.meta.url), {
      database_url: database.url,
      keys,
    });
    undo.add(() => rest.stop());
    await watchTakeovers(database.sql);
    const strict = await Field.#provider(undo);
    const lenient = await Field.#provider(undo);
    await lenient.control.configure({ reuse_grace_ms: GRACE_MS });
    const revoking = await Field.#provider(undo);
    await revoking.control.configure({ revoke_on_reuse: true });
    const moody = await Field.#provider(undo);
    const made = { journal: new Journal(), grants: new Grants() };
    const setting = keys.token_encryption_keys;
    const connections = new Connections(database.sql, { setting, ...CLIENT }, made.grants, made.journal);
    const providers = [strict, lenient, revoking, moody] as const;
    return new Field(undo, keys, database, ...providers, connections, rest.ready.origin, made);
  }

  static async #provider(undo: Undo): Promise<FieldProvider> {
    const module = new URL("./provider_process.ts", import.meta.url);
    const child: Child<{ origin: string }> = await startChild(module, CLIENT);
    undo.add(() => child.stop());
    const { origin } = child.ready;
    const control = controlOf(origin);
    // Rate limits are another promise's business; many grants of one account stand for as many accounts.
    await control.configure({ search_burst: null, reinstall_ends_old: false });
    return { origin, control, client: CLIENT };
  }

  /** Somebody who has allowed at the provider and come back: what is left is to complete. */
  async park(site: Site): Promise<{ user: Connected; parked: Parked }> {
    const { control, origin } = this.strict;
    const [account] = await control.accounts();
    if (account === undefined) throw new Error("the provider has no accounts");
    const user = await this.connections.user(`${account.company_id}:${account.user_id}`, origin);
    const parked = await site.park(user, async (authorization_url) => {
      const redirect_uri = new URL(authorization_url).searchParams.get("redirect_uri");
      await control.register({ redirect_uri });
      return await control.authorize({ authorization_url });
    });
    return { user, parked };
  }

  /** What REST is like from now on, for every fleet. */
  async mode(mode: Mode): Promise<void> {
    this.journal.record({ what: "fault", how: `REST: ${mode}` });
    const answer = await fetch(`${this.rest_origin}/mode`, { method: "POST", body: JSON.stringify(mode) });
    await answer.body?.cancel();
  }

  /** After a scenario that broke off: what the next ones find is as it was. */
  async mend(): Promise<void> {
    await this.mode("usual");
    for (const site of await Promise.all(this.#fleets.values())) await site.fleet.mend();
    for (const { control } of [this.strict, this.lenient, this.revoking, this.moody]) {
      await control.register(CLIENT);
      await control.configure({ access_lifetime_s: 3_600 });
    }
  }

  /** A fleet with a gateway before it; the second time the same one. */
  site(name: string, sizes: FleetOptions["sizes"], extra: Extra = {}): Promise<Site> {
    const known = this.#fleets.get(name);
    if (known !== undefined) return known;
    // One after another: a machine that starts many processes at once can do nothing else.
    const site = this.#opening.then(() => this.#open(name, sizes, extra));
    this.#opening = site.then(() => {}, () => {});
    this.#fleets.set(name, site);
    return site;
  }

  async #open(name: string, sizes: FleetOptions["sizes"], extra: Extra): Promise<Site> {
    const { keys, journal, grants, rest_origin, strict } = this;
    const fleet = await Fleet.start({
      name,
      sizes,
      env: { ...this.#env(), ...extra.env },
      ...(extra.skew !== undefined && { skew: extra.skew }),
      ...(extra.traits !== undefined && { traits: extra.traits }),
      rest_origin,
      provider_origin: strict.origin,
      journal,
      grants,
    });
    this.#undo.add(() => fleet.stop());
    const rest = {
      fetch: (request: Request) => {
        const { pathname, search } = new URL(request.url);
        return fetch(rest_origin + pathname + search, request);
      },
    };
    let gateway = (_: Request): Promise<Response> => Promise.resolve(new Response(null, { status: 503 }));
    const served = serve(0, (request) => gateway(request));
    this.#undo.add(() => served.stop());
    gateway = createGateway({ keys, rest, functions: fleet, origin: served.origin });
    return new Site(name, served.origin, fleet, keys);
  }

  #env(): Record<string, string> {
    const { keys, strict, lenient, revoking, moody } = this;
    return {
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable_key }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret_key }),
      SUPABASE_JWKS: JSON.stringify(new UserTokens(keys).jwks),
      TOKEN_ENCRYPTION_KEYS: keys.token_encryption_keys,
      APP_URL: "http://127.0.0.1",
      OAUTH_CALLBACK_URL: "http://127.0.0.1/functions/v1/oauth-callback",
      PIPEDRIVE_CLIENT_ID: CLIENT.client_id,
      PIPEDRIVE_CLIENT_SECRET: CLIENT.client_secret,
      PIPEDRIVE_API_ORIGINS: [strict, lenient, revoking, moody].map(({ origin }) => origin).join(),
    };
  }

  stop(): Promise<void> {
    return this.#undo.run();
  }
}
