/** What a user does, step by step, until a connection stands. */
import { assert } from "../support/assert.ts";
import { MARI } from "../support/store.ts";
import type { Answer, Ask, Stage } from "./stage.ts";

/** The sandbox's first account, for whom the consent page installs unless told otherwise, and another one. */
export const ACCOUNT = { company_id: 7100201, user_id: 11 };
export const OTHER_ACCOUNT = "7100302:23";

export interface Begun {
  readonly authorization_url: string;
  readonly binding: string;
  readonly state: string;
}

/** A user begins; the page keeps the binding. */
export async function begin(
  { callback, secrets }: Stage,
  user = MARI,
  { body = {}, ...ask }: Ask = {},
): Promise<Begun> {
  const { status, body: begun } = await callback("/authorize", { user, body, ...ask });
  assert(status === 201, `begin was answered ${status}`);
  const authorization_url = String(begun.authorization_url);
  const state = new URL(authorization_url).searchParams.get("state") ?? "";
  const binding = String(begun.binding);
  secrets.add(state).add(binding);
  return { authorization_url, binding, state };
}

/** The user allows, and the browser comes back: the query of the redirect. */
export async function allow(
  { provider, secrets }: Stage,
  { authorization_url }: Begun,
  account?: typeof OTHER_ACCOUNT,
): Promise<string> {
  const { search, searchParams } = new URL(await provider.authorize({ authorization_url, user: account }));
  secrets.add(searchParams.get("code") ?? "");
  return search;
}

/** What a page holds that has come back, and who is signed in there. */
export interface Parked {
  readonly user: string;
  readonly binding: string;
  readonly ticket: string;
  readonly state: string;
}

/** Begins, allows and comes back: the code is parked, and a ticket stands for it. */
export async function park(stage: Stage, user = MARI, account?: typeof OTHER_ACCOUNT): Promise<Parked> {
  const begun = await begin(stage, user);
  const { fragment } = await stage.callback(await allow(stage, begun, account));
  const ticket = fragment.get("oauth_ticket") ?? "";
  assert(ticket !== "", "no ticket came back");
  stage.secrets.add(ticket);
  return { user, binding: begun.binding, ticket, state: begun.state };
}

export function complete(
  { callback }: Stage,
  { user, ticket, binding }: Omit<Parked, "state">,
): Promise<Answer> {
  return callback("/complete", { user, body: { ticket, binding } });
}

/** All of it, a minute ago, because what is young is not refreshed when it is refused: the connection's id. */
export async function connect(stage: Stage, user = MARI, account?: typeof OTHER_ACCOUNT): Promise<string> {
  const { status, body } = await complete(stage, await park(stage, user, account));
  assert(status === 200, `complete was answered ${status}`);
  const { id } = body.connection as { id: string };
  await stage.store.backdate(id, { refreshed_at: 60_000 });
  return id;
}
