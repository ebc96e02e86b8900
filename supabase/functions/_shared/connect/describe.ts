import type { Context } from "../context.ts";
import { clientFingerprint } from "../keep/client_fingerprint.ts";
import type { Connect } from "../keep/store.ts";
import { sealTokenSet } from "../keep/token_set.ts";
import { apiUrl } from "../oauth/address.ts";
import { responseInvalid } from "../oauth/api_answer.ts";
import type { Client, TokenSet } from "../oauth/client.ts";
import { type Answers, learn, type Learnt, missing, type Values } from "../oauth/values.ts";
import { learnAccount } from "./account.ts";
import { connectionId } from "./connection_id.ts";
import type { Parked } from "./receive.ts";

/** What an exchange brought. */
export interface Exchanged {
  readonly tokens: TokenSet;
  readonly values: Values;
  readonly redirect: Parked["redirect"];
}

/** Whose the tokens are, and both sealed for that connection. */
export async function describe(
  context: Context,
  user_id: string,
  { tokens, redirect, ...brought }: Exchanged,
): Promise<Omit<Connect, "elapsed_ms" | "exchange_ms" | "client_id" | "request_id">> {
  const { client, keyring } = context;
  const provider = client.provider.name;
  const { access_token, refresh_token, scope } = tokens;
  const answers = { ...tokens.answers, redirect };
  const given = learnAll(client, ["token", "id_token"], answers, brought.values);
  // An address may have come with the answer: no token goes to one that is not allowed.
  if (given.refused.length > 0) throw responseInvalid("no API address that is allowed");
  const token = { access_token, values: given.values };
  const { account, values } = await learnAccount(context, token, answers);
  const lacking = missing(client, values);
  if (lacking.length > 0) throw responseInvalid(`it does not say ${lacking.join(", ")}`);
  if (!apiUrl(client, values, {})) throw responseInvalid("no API address that is allowed");
  const id = await connectionId(provider, account.key, user_id);
  return {
    id,
    user_id,
    provider,
    account_key: account.key,
    account_name: account.name ?? null,
    account_email: account.email ?? null,
    scope: (scope ?? client.scopes).join(" "),
    ...await sealTokenSet(keyring, { id, provider }, { access_token, refresh_token, values }),
    client_fingerprint: await clientFingerprint(keyring, client),
    ...lifetimes(client, tokens),
  };
}

/** Without a refresh token the access token's end is the authorization's, and nothing is due before it. */
function lifetimes({ provider }: Client, { expires_in, refresh_token, refresh_token_expires_in }: TokenSet) {
  const last = refresh_token === undefined;
  const ms = (seconds: number | null) => seconds === null ? null : seconds * 1000;
  return {
    expires_in_ms: ms(expires_in),
    authorization_expires_in_ms: ms(last ? expires_in : refresh_token_expires_in),
    refresh_ahead_ms: last ? 0 : ms(provider.refresh_ahead ?? null),
    refreshable: !last,
  };
}

/** What answers bring, where it is allowed. */
export function learnAll(
  client: Client,
  from: readonly ("redirect" | "token" | "id_token")[],
  answers: Answers,
  known: Values,
): Learnt {
  return from.reduce((all, one) => {
    const { values, refused } = learn(client, one, answers, all.values);
    return { values, refused: [...all.refused, ...refused] };
  }, { values: known, refused: [] } as Learnt);
}
