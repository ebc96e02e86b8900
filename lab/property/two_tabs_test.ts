/**
 * One user connects one account in two tabs, and may disconnect meanwhile, in every order of the steps that matter: the
 * exchange, learning the account, storing. The real modules on the real SQL, beside each kind of provider.
 */
import { beginAuthorization } from "../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../supabase/functions/_shared/connect/complete.ts";
import { connectionId } from "../../supabase/functions/_shared/connect/connection_id.ts";
import { disconnectConnection } from "../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../supabase/functions/_shared/connect/receive.ts";
import type { Connection } from "../../supabase/functions/_shared/keep/store.ts";
import { openGrant } from "../../supabase/functions/_shared/keep/token_set.ts";
import { revokePending } from "../../supabase/functions/_shared/refresh/revoke.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { FakeClock } from "../../tests/support/clock.ts";
import { connected, makeContext, type TestContext } from "../../tests/support/context.ts";
import { json, respondWith, type SentRequest } from "../../tests/support/fake_fetch.ts";
import type { Held } from "../../tests/support/store.ts";
import { MARI } from "../../tests/support/store.ts";

type Tab = 1 | 2;
type Step = `exchange ${Tab}` | `account ${Tab}` | `store ${Tab}` | "disconnect" | "sweep";

/** What it does with an earlier grant of the account at the next exchange, and with the others when one is revoked. */
const KINDS = [
  "ends the earlier grant",
  "keeps both grants",
  "keeps both grants, and ends both when one is revoked",
] as const;

const ACCOUNT = "7100201:11";
const TABS: readonly Tab[] = [1, 2];

/** Which grants live, by refresh token; the account's answers wait at a gate. */
class Provider {
  readonly living = new Set<string>();
  readonly gates = new Map<string, { arrive: () => void; released: Promise<void> }>();

  constructor(private readonly kind: typeof KINDS[number]) {}

  readonly fetch = respondWith(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/users/me")) return await this.#account(request);
    const form = new URLSearchParams(request.body);
    return pathname.endsWith("/revoke")
      ? this.#revoke(form.get("token") ?? "")
      : this.#exchange(form.get("code") ?? "");
  });

  #exchange(code: string): Response {
    if (this.kind === KINDS[0]) this.living.clear();
    this.living.add(`refresh of ${code}`);
    return json({
      access_token: code,
      refresh_token: `refresh of ${code}`,
      token_type: "bearer",
      expires_in: 3599,
      api_domain: "https://acme.pipedrive.com",
    });
  }

  #revoke(token: string): Response {
    if (this.living.delete(token) && this.kind === KINDS[2]) this.living.clear();
    return json({});
  }

  async #account({ headers }: SentRequest): Promise<Response> {
    const gate = this.gates.get(headers.get("authorization")?.replace("Bearer ", "") ?? "");
    gate?.arrive();
    await gate?.released;
    const [company_id, id] = ACCOUNT.split(":").map(Number);
    return json({
      success: true,
      data: { company_id, id, company_name: "Acme", email: "jane@acme.example" },
    });
  }
}

/** All orders of what each list keeps in its own. */
function interleavings<T>(one: readonly T[], other: readonly T[]): T[][] {
  const [first] = one;
  const [second] = other;
  if (first === undefined || second === undefined) return [[...one, ...other]];
  return [
    ...interleavings(one.slice(1), other).map((rest) => [first, ...rest]),
    ...interleavings(one, other.slice(1)).map((rest) => [second, ...rest]),
  ];
}

const ofTab = (tab: Tab): Step[] => [`exchange ${tab}`, `account ${tab}`, `store ${tab}`];
const ORDERS = interleavings(ofTab(1), ofTab(2));

/** With a connection before, since without one there is nothing to disconnect. */
async function run(provider: Provider, order: readonly Step[], before: boolean): Promise<void> {
  const clock = new FakeClock();
  const context = await makeContext({ clock, fetch: provider.fetch });
  const id = await connectionId("pipedrive", ACCOUNT, MARI);
  if (before) {
    await connected(context, { id, user_id: MARI, account_key: ACCOUNT, refresh_token: "before" });
    provider.living.add("before");
  }
  const tabs = new Map<Tab, Awaited<ReturnType<typeof openTab>>>();
  for (const tab of TABS) tabs.set(tab, await openTab(context, provider, tab));
  // The revocation that is to be made later is one whose first try never was.
  if (order.includes("sweep")) context.store.failNext("claim_revocations");
  for (const step of order) {
    clock.pause(1_000);
    const tab = tabs.get(step.endsWith("1") ? 1 : 2);
    if (step === "disconnect") {
      await disconnectConnection(context.store, { id, user_id: MARI, provider: "pipedrive" }, () => context);
    } else if (step === "sweep") await revokePending(context);
    else if (step.startsWith("exchange")) await tab?.exchange();
    else if (step.startsWith("account")) await tab?.learn();
    else assertEquals((await tab?.store())?.id, id);
    await clock.settle();
  }
  const last = order.findLast((step) => step === "disconnect" || step.startsWith("exchange"));
  const expected = last === "disconnect" ? null : `refresh of code-${last?.at(-1)}`;
  assertEquals(await storedToken(context, id), expected);
  clock.pause(120_000);
  await revokePending(context);
  if (expected !== null) {
    assert(provider.living.has(expected), "what is stored does not live at the provider");
  }
  assertEquals([await context.store.revocations(), context.reports.length], [
    [],
    order.includes("sweep") ? 1 : 0,
  ]);
}

/** A tab that has come back with a code; what it does next waits until it is told to. */
async function openTab(context: TestContext, provider: Provider, tab: Tab) {
  const { authorization_url, binding } = await beginAuthorization(context, {
    user_id: MARI,
    return_to: "https://app.example/",
  });
  const state = new URL(authorization_url).searchParams.get("state") ?? "";
  const code = `code-${tab}`;
  const received = await receiveAuthorizationResponse(context, new URLSearchParams({ state, code }));
  assert(received.outcome === "parked");
  const { ticket } = received;
  const [asked, allowed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  provider.gates.set(code, { arrive: asked.resolve, released: allowed.promise });
  let answer: Promise<Connection>;
  let held: Held;
  return {
    async exchange() {
      answer = completeAuthorization(context, { user_id: MARI, ticket, binding });
      await asked.promise;
    },
    async learn() {
      held = context.store.hold("connect");
      allowed.resolve();
      await held.arrived;
    },
    async store() {
      held.release();
      return await answer;
    },
  };
}

async function storedToken({ store, keyring }: TestContext, id: string): Promise<string | null> {
  const { refresh_token_sealed: sealed } = await store.row(id);
  return sealed === null
    ? null
    : (await openGrant(keyring, { id, provider: "pipedrive" }, sealed)).refresh_token ?? null;
}

for (const kind of KINDS) {
  Deno.test(`two tabs, in all 20 orders: the later exchange is kept, at a provider that ${kind}`, async () => {
    assertEquals(ORDERS.length, 20);
    for (const order of ORDERS) {
      for (const before of [false, true]) {
        await told(order, () => run(new Provider(kind), order, before));
      }
    }
  });

  Deno.test(`two tabs and a disconnect at every place: the last word counts, at a provider that ${kind}`, async () => {
    for (const tabs of ORDERS) {
      for (let place = 0; place <= tabs.length; place += 1) {
        const order = tabs.toSpliced(place, 0, "disconnect");
        await told(order, () => run(new Provider(kind), order, true));
      }
    }
  });
}

Deno.test(`a revocation that comes late ends nothing that was connected meanwhile, at a provider that ${KINDS[2]}`, async () => {
  for (const order of interleavings<Step>(ofTab(1), ["disconnect", "sweep"])) {
    await told(order, () => run(new Provider(KINDS[2]), order, true));
  }
});

/** A failure says in which order. */
async function told(order: readonly Step[], test: () => Promise<void>): Promise<void> {
  try {
    await test();
  } catch (error) {
    throw new Error(`in the order ${order.join(", ")}`, { cause: error });
  }
}
