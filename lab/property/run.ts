import { openGrant } from "../../supabase/functions/_shared/keep/token_set.ts";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import type fc from "fast-check";
import type postgres from "postgres";
import {
  getAccessToken,
  refreshConnection,
  usableConnection,
} from "../../supabase/functions/_shared/use/access_token.ts";
import { completeAuthorization } from "../../supabase/functions/_shared/connect/complete.ts";
import { connectionId } from "../../supabase/functions/_shared/connect/connection_id.ts";
import { disconnectConnection } from "../../supabase/functions/_shared/connect/disconnect.ts";
import { digest, type Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { sweep } from "../../supabase/functions/_shared/refresh/sweep.ts";
import { connect, makeClient } from "../../tests/support/make.ts";
import type { SqlRpc } from "../../tests/support/sql_rpc.ts";
import type { Authority } from "./authority.ts";
import type { History, Row } from "./history.ts";
import type { Isolate } from "./isolate.ts";
import { ACCOUNT } from "./network.ts";
import { type Action, type Deed, ISOLATES, type Plan } from "./plan.ts";
import { type Setting, World } from "./world.ts";

const USER = "a11ce000-0000-4000-8000-000000000000";
const PROVIDER = "pipedrive";
/**
 * When a healthy isolate looks after the connection, until it works or is given up: once a lease has ended, once the
 * settle time has, and once an access token that somebody still lived on is over.
 */
const LATER_MS = [31_000, 61_000, 3_700_000, 61_000, 61_000];

/** How it ended, once everybody had done what there was to do and a healthy isolate had looked after it. */
export interface Ran {
  readonly plan: Plan;
  readonly history: History;
  readonly authority: Authority;
  readonly dead: ReadonlySet<number>;
  readonly row: Row;
  /** Opened; null: there is none. */
  readonly refresh_token: string | null;
  readonly events: readonly { readonly kind: string; readonly version: number }[];
}

export interface Stage {
  readonly rpc: SqlRpc;
  /** Of the database's owner. */
  readonly admin: postgres.Sql;
  readonly keyring: Keyring;
}

/** One connection lives through the plan. */
export async function runPlan(stage: Stage, plan: Plan, scheduler: fc.Scheduler): Promise<Ran> {
  const setting = { ...stage, id: await connectionId(PROVIDER, ACCOUNT.key, USER), user_id: USER };
  const world = new World(setting, plan, scheduler);
  await connectFirst(stage, world);
  const isolates = await Promise.all(Array.from({ length: ISOLATES }, (_, n) => world.startIsolate(n)));
  for (const action of plan.actions) void perform(world, isolates, action);
  await world.run();
  await recover(world);
  return await describe(stage, world, isolates);
}

/** An empty database, and in it the connection, its access token just expired. */
async function connectFirst({ admin, rpc, keyring }: Stage, world: World): Promise<void> {
  await world.witness.tell();
  await rpc.sql`select setseed(0.5)`;
  await admin`delete from auth.users`;
  await admin`insert into auth.users (id) values (${USER})`;
  await connect({ store: supabaseStore(rpc), keyring, client: makeClient() }, {
    id: world.setting.id,
    user_id: USER,
    account_key: ACCOUNT.key,
    ...world.authority.grant(),
    expires_in_ms: 3_600_000,
  });
  await expire(world);
}

async function perform(world: World, isolates: readonly Isolate[], action: Action): Promise<void> {
  const { does, after_ms } = action;
  if (after_ms > 0) await world.clock.sleep(after_ms);
  const isolate = "isolate" in action ? isolates[action.isolate] : undefined;
  await world.turns.take(isolate ? `${does} (isolate ${isolate.index})` : does);
  if (!isolate) return await world.turns.uninterrupted(() => happen(world, action));
  await isolate.goOn(does);
  if (!isolate.dead) await world.call(isolate, does, () => want(world, isolate, does));
}

async function want(world: World, { context }: Isolate, does: Deed["does"]): Promise<unknown> {
  const { id, user_id } = world.setting;
  const wanted = { connection_id: id, user_id };
  switch (does) {
    case "ask":
      return await getAccessToken(context, wanted);
    case "ask after 401":
      return await getAccessToken(context, wanted, world.witness.row?.version);
    case "force":
      return await forceRefresh(context, id, user_id);
    case "sweep":
      return await sweep(context);
    case "disconnect":
      return await disconnectConnection(
        context.store,
        { id, user_id, provider: context.client.provider.name },
        () => context,
      );
    case "connect": {
      const { ticket, binding } = await world.turns.uninterrupted(() => comeBackFromProvider(world.setting));
      return await completeAuthorization(context, { user_id, ticket, binding });
    }
  }
}

async function happen(world: World, action: Deed): Promise<void> {
  switch (action.does) {
    case "jump":
      return await world.jump(action.ms);
    case "expire":
      return await expire(world);
    case "end the lease":
      return await endLease(world);
    case "withdraw":
      world.happens("withdrawn");
      return world.authority.withdraw();
  }
}

async function expire({ witness, setting }: World): Promise<void> {
  await witness.tell();
  await setting.rpc.sql`
    update oauth.connections
       set access_expires_at = least(access_expires_at, test_time.clock_timestamp() - interval '1 second'),
           refresh_after = least(refresh_after, test_time.clock_timestamp() - interval '1 minute')
     where id = ${setting.id} and status <> 'disconnected'`;
  await witness.look();
}

/** The lease ends under its holder, as it must not: a request longer than the lease, or a clock set forward. */
async function endLease(world: World): Promise<void> {
  const { witness, setting } = world;
  if (witness.row?.lease_id === null) return;
  await witness.tell();
  await setting.rpc.sql`
    update oauth.connections
       set lease_until = least(lease_until, test_time.clock_timestamp() - interval '1 millisecond')
     where id = ${setting.id} and lease_id is not null`;
  await witness.look();
  world.happens("lease ended early");
}

/** The user allowed us once more and is back with a ticket. */
async function comeBackFromProvider({ rpc, keyring, user_id }: Setting) {
  const [state, ticket, binding] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const store = supabaseStore(rpc);
  const id = await digest(state);
  await store.beginAuthorization({
    id,
    user_id,
    provider: PROVIDER,
    binding_hash: await digest(binding),
    redirect_uri: makeClient().redirect_uri,
    return_to: "/",
    code_verifier_sealed: null,
    lifetime_ms: 600_000,
    limit: 100,
  });
  await store.receiveAuthorizationResponse({
    id,
    provider: PROVIDER,
    ticket_hash: await digest(ticket),
    code_sealed: await keyring.seal(state, { id, provider: PROVIDER, field: "code" }),
  });
  return { ticket, binding };
}

/** A healthy isolate comes later, and again, until the connection works or is given up. */
async function recover(world: World): Promise<void> {
  world.faultless();
  const { context, ...healthy } = await world.startIsolate(ISOLATES);
  const { id, user_id } = world.setting;
  for (const ms of LATER_MS) {
    const before = world.witness.row;
    if (before?.status !== "active") return;
    await world.jump(ms);
    void world.call(healthy, "recover", () => forceRefresh(context, id, user_id));
    await world.run();
    if (world.witness.row?.version !== before.version) return;
  }
}

async function describe(stage: Stage, world: World, isolates: readonly Isolate[]): Promise<Ran> {
  const { setting: { id }, plan, history, authority } = world;
  const [[tokens], events] = await Promise.all([
    stage.admin<{ refresh_token_sealed: string }[]>`
      select refresh_token_sealed from oauth.token_sets where connection_id = ${id}`,
    stage.admin<{ kind: string; version: number }[]>`
      select kind, version::int from oauth.events where connection_id = ${id} order by id`,
  ]);
  const row = await world.witness.look();
  if (!row) throw new Error("the connection is gone");
  const refresh_token = tokens
    ? (await openGrant(stage.keyring, { id, provider: PROVIDER }, tokens.refresh_token_sealed))
      .refresh_token ?? ""
    : null;
  const dead = new Set(isolates.filter((isolate) => isolate.dead).map(({ index }) => index));
  return { plan, history, authority, dead, row, refresh_token, events };
}

async function forceRefresh(context: Context, id: string, user_id: string) {
  return await refreshConnection(
    context,
    await usableConnection(context.store, { connection_id: id, user_id }),
    {
      force: true,
    },
  );
}
