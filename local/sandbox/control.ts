import { type Account, ACCOUNTS, findAccount, keyOf, type UserChoice } from "./accounts.ts";
import { callbackUrl, issueCode } from "./authorize.ts";
import { type Fault, FAULTS } from "./faults.ts";
import { endAccessTokens, install } from "./grants.ts";
import { countUp } from "./journal.ts";
import { sendSharingNotice, sendUninstallNotice, type UninstallRequest } from "./notice.ts";
import { answer } from "./router.ts";
import { DEFAULT_SWITCHES, type Switches } from "./switches.ts";
import type { Grant, Registration, World } from "./world.ts";

/** Moves the sandbox. The same in this process and, as POST `/_control/{method}` with one JSON argument, over HTTP. */
export type SandboxControl = {
  [Name in keyof Methods]: (
    ...request: Parameters<Methods[Name]>
  ) => Promise<Awaited<ReturnType<Methods[Name]>>>;
};

type Methods = ReturnType<typeof methodsOf>;

/** Every method's errors reject, and what it changed is kept before it resolves. */
export function createControl(world: World): SandboxControl {
  const methods = Object.entries(methodsOf(world)).map(([name, method]) => [
    name,
    async (request: never) => {
      const result = await method(request);
      world.keep();
      // A copy: what was read does not change afterwards.
      return structuredClone(result);
    },
  ]);
  return Object.fromEntries(methods);
}

function methodsOf(world: World) {
  return {
    /** Every company and user one can install for. */
    accounts: () => ACCOUNTS,

    /** Walks through the consent page as a user would; the answer is where the browser is sent. */
    async authorize(request: { authorization_url: string; user?: UserChoice; deny?: boolean }) {
      const { authorization_url, user, deny } = request;
      if (new URL(authorization_url).origin !== world.origin) {
        throw new Error(`"authorization_url" is not at ${world.origin}`);
      }
      const decision = deny ? "cancel" : "allow";
      const body = new URLSearchParams({ decision, user: keyOf(accountOf(user)) });
      const response = await answer(world, new Request(authorization_url, { method: "POST", body }));
      const location = response.headers.get("location");
      if (location !== null) return location;
      throw new Error(`The authorization was refused with ${response.status}: ${await response.text()}`);
    },

    /** An installation begun in Pipedrive: the callback URL with a code and no state. */
    install: (request: { user?: UserChoice } = {}) =>
      callbackUrl(world, { code: issueCode(world, accountOf(request.user)) }),

    /** Installs without a browser and gives the tokens: for tests that begin after the authorization. */
    grant(request: { user?: UserChoice } = {}) {
      const { registration: { client_id }, switches: { scopes } } = world;
      return install(world, { account: accountOf(request.user), client_id, scopes: [...scopes] });
    },

    /** What is installed, once an account. The version is that of the refresh token that is good now: the first is 1. */
    installations() {
      const latest = new Map([...world.grants.values()].map((grant) => [keyOf(grant.account), grant]));
      return [...latest.values()].map(({ account: { company_id, user_id }, version }) => ({
        company_id,
        user_id,
        version,
      }));
    },

    /** Changes the registered client. Tokens stay valid, the old secret does not. */
    register: (registration: Partial<Registration>) => void Object.assign(world.registration, registration),

    /** Turns switches, leaves the others, tells how all of them stand. */
    configure(switches: Partial<Switches>) {
      for (const name of Object.keys(switches)) {
        if (!(name in DEFAULT_SWITCHES)) throw new Error(`There is no switch "${name}"`);
      }
      const wider = switches.scopes?.some((scope) => !world.switches.scopes.includes(scope));
      if (wider) endAccessTokens(world, null, "revoked");
      return Object.assign(world.switches, structuredClone(switches));
    },

    /** Moves the sandbox's clock; the answer is its time, epoch milliseconds. */
    advance_clock(ms: number) {
      if (!Number.isFinite(ms)) throw new Error(`"ms" must be a number of milliseconds`);
      world.clock_offset_ms += ms;
      return world.now();
    },

    /** Access tokens begin to answer 401 before their time, refresh tokens stay good; tells how many. */
    expire_access_tokens: ({ user }: { user?: UserChoice } = {}) =>
      endAccessTokens(world, user === undefined ? null : grantOf(world, user).id, "expired"),

    /** Ends the installation at Pipedrive's side, without a notice. */
    revoke: ({ user }: { user: UserChoice }) => void world.grants.delete(grantOf(world, user).id),

    fail_next(fault: Fault) {
      if (!(fault.how in FAULTS)) throw new Error(`There is no fault "${fault.how}"`);
      world.faults.push({ ...fault });
    },

    /** Drops the faults that have not met a request. */
    clear_faults: () => void (world.faults = []),

    /** Uninstalls and sends the DELETE notice, also for an account that never installed. */
    uninstall(request: UninstallRequest) {
      world.grants.delete(world.grantOf(request)?.id ?? "");
      return sendUninstallNotice(world, request);
    },

    send_app_sharing_notice: (request: { company_id: number; user_id: number }) =>
      sendSharingNotice(world, request),

    journal: () => world.journal,

    counts: () => countUp(world.journal),
  };
}

function accountOf(user: UserChoice | undefined): Account {
  const account = findAccount(user);
  if (account === null) throw new Error(`There is no user "${user}"`);
  return account;
}

function grantOf(world: World, user: UserChoice): Grant {
  const grant = world.grantOf(accountOf(user));
  if (grant === undefined) throw new Error(`User "${user}" has not installed the client`);
  return grant;
}
