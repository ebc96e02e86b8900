import { ACCOUNTS, findAccount, keyOf } from "./accounts.ts";
import { callbackUrl, issueCode } from "./authorize.ts";
import { isFaultKind } from "./faults.ts";
import { endAccessTokens, endGrant, endRefreshToken, install } from "./grants.ts";
import { countUp } from "./journal.ts";
import { sendSharingNotice, sendUninstallNotice } from "./notice.ts";
import { DEFAULT_SWITCHES } from "./switches.ts";
import { type Grant, nowOf, resetWorld, type World } from "./world.ts";
import type { Account, Installation, SandboxControl, Switches, UserChoice } from "./types.ts";

/** The control interface over a world in this process. */
export function createControl(
  world: World,
  answer: (request: Request) => Promise<Response>,
): SandboxControl {
  return {
    ...userSide(world, answer),
    ...pipedriveSide(world),
    ...records(world),
  };
}

type UserSide = Pick<SandboxControl, "accounts" | "authorize" | "install" | "grant">;
type Records = Pick<SandboxControl, "installations" | "journal" | "counts" | "settled" | "reset">;

/** What a user does at Pipedrive. */
function userSide(world: World, answer: (request: Request) => Promise<Response>): UserSide {
  return {
    accounts: () => Promise.resolve(ACCOUNTS.map((account) => ({ ...account }))),
    authorize: async ({ authorization_url, user, deny }) => {
      if (new URL(authorization_url).origin !== world.origin) {
        throw new Error(`"authorization_url" is not at ${world.origin}`);
      }
      const body = new URLSearchParams({
        decision: deny ? "cancel" : "allow",
        user: keyOf(accountOf(user)),
      });
      const response = await answer(new Request(authorization_url, { method: "POST", body }));
      const location = response.headers.get("location");
      if (location !== null) return location;
      throw new Error(`The authorization was refused with ${response.status}: ${await response.text()}`);
    },
    install: (request) =>
      attempt(() => {
        if (world.registration.redirect_uri === null) throw new Error("No redirect_uri is registered");
        return callbackUrl(world, { code: issueCode(world, accountOf(request?.user)) }, null);
      }),
    grant: (request) =>
      attempt(() => {
        const code = world.codes.get(issueCode(world, accountOf(request?.user)));
        if (code === undefined) throw new Error("The code was not kept");
        code.used = true;
        return install(world, code);
      }),
  };
}

/** What happens at Pipedrive without the user's browser. */
function pipedriveSide(world: World): Omit<SandboxControl, keyof UserSide | keyof Records> {
  return {
    register: (registration) => attempt(() => void Object.assign(world.registration, registration)),
    configure: (switches) => attempt(() => configure(world, switches)),
    advance_clock: (ms) =>
      attempt(() => {
        if (!Number.isFinite(ms)) throw new Error(`"ms" must be a number of milliseconds`);
        world.clock_offset_ms += ms;
        return nowOf(world);
      }),
    expire_access_tokens: (request) =>
      attempt(() => {
        if (request?.user === undefined) return endAccessTokens(world, null, "expired");
        return endAccessTokens(world, grantOf(world, request.user), "expired");
      }),
    revoke: ({ user, what }) =>
      attempt(() => {
        const grant = grantOf(world, user);
        if (what === "access") endAccessTokens(world, grant, "revoked");
        else if (what === "refresh") endRefreshToken(grant);
        else endGrant(world, grant);
      }),
    fail_next: (fault) =>
      attempt(() => {
        if (!isFaultKind(fault.how)) throw new Error(`There is no fault "${fault.how}"`);
        world.faults.push({ ...fault, times: fault.times ?? 1 });
      }),
    clear_faults: () => attempt(() => void (world.faults = [])),
    uninstall: async (request) => {
      const grant = world.grants.get(keyOf(request));
      if (grant !== undefined) endGrant(world, grant);
      return await sendUninstallNotice(world, request);
    },
    send_app_sharing_notice: (request) => sendSharingNotice(world, request),
  };
}

/** What one can look up, and starting anew. Copies: what was read does not change afterwards. */
function records(world: World): Records {
  return {
    installations: () =>
      attempt(() => [...world.grants.values()].map((grant) => installationOf(world, grant))),
    journal: () => attempt(() => structuredClone(world.journal)),
    counts: () => attempt(() => countUp(world)),
    settled: async () => {
      while (world.notices.size > 0) await Promise.allSettled(world.notices);
    },
    reset: () => attempt(() => resetWorld(world)),
  };
}

/** Turns switches; a misspelt one is an error. Wider scopes end the access tokens that were given under the old ones. */
function configure(world: World, switches: Partial<Switches>): Switches {
  for (const name of Object.keys(switches)) {
    if (!(name in DEFAULT_SWITCHES)) throw new Error(`There is no switch "${name}"`);
  }
  const wider = switches.scopes?.some((scope) => !world.switches.scopes.includes(scope));
  if (wider) endAccessTokens(world, null, "revoked");
  Object.assign(world.switches, structuredClone(switches));
  return structuredClone(world.switches);
}

function accountOf(user: UserChoice | undefined): Account {
  const account = findAccount(user);
  if (account === null) throw new Error(`There is no user "${user}"`);
  return account;
}

function grantOf(world: World, user: UserChoice): Grant {
  const grant = world.grants.get(keyOf(accountOf(user)));
  if (grant === undefined) throw new Error(`User "${user}" has not installed the client`);
  return grant;
}

function installationOf(world: World, grant: Grant): Installation {
  const living = [...world.access_tokens.values()].filter((record) =>
    record.grant === grant && record.ended === null && record.expires_at > nowOf(world)
  );
  return {
    company_id: grant.account.company_id,
    user_id: grant.account.user_id,
    scopes: [...grant.scopes],
    version: grant.refresh_token === null ? 0 : grant.version,
    living_access_tokens: living.length,
    installed_at: grant.installed_at,
    idle_until: grant.idle_until,
  };
}

/** A synchronous step as a promise, so that its errors reject here as they do over HTTP. */
function attempt<T>(step: () => T): Promise<T> {
  return new Promise((resolve) => resolve(step()));
}
