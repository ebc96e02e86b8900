import { serve } from "../../local/stack/serve.ts";
import { type Listener, Place } from "./place.ts";

/** What was asked of a stranger, and what lives there. */
export interface Counts {
  readonly token_requests: number;
  /** Of them, those that were refused. */
  readonly refused: number;
  /** To the API, about whose the token is. */
  readonly account_requests: number;
  /** Authorizations that can still be used. */
  readonly grants: number;
}

/** What can be done to a stranger beside its protocol. */
export type Deed = "count" | "down" | "up" | "end_grants" | "expire" | "live_for";

/** A stranger as it is built, before anybody can reach it. */
export interface Built {
  /** Its token endpoint is `/token`. */
  readonly authorization_server: Listener;
  /** Whose the token is, it says at `/me`. */
  readonly api: Listener;
  grants(): number;
  /** As if the user had ended all of it there. */
  end_grants(): void;
  /** Every access token that was issued is over. */
  expire(): void;
  /** How long access tokens live that are issued from now on. */
  live_for(seconds: number): void;
}

export interface Addresses {
  /** Of the authorization server. */
  readonly origin: string;
  readonly api_origin: string;
  /** Where deeds are asked for: `POST /{deed}`, which answers the counts. */
  readonly control_origin: string;
}

/**
 * Puts a stranger on the network of this machine, in the process that this is. The first line that is printed
 * says where. Only the authorization server goes down: the API is another machine's.
 *
 * @param build is told the authorization server's origin, which it may have to name as its issuer
 */
export async function present(build: (origin: string) => Promise<Built> | Built): Promise<void> {
  const [door, api] = [new Place(), new Place()];
  await Promise.all([door.open(), api.open()]);
  const built = await build(door.origin);
  const asked = { token_requests: 0, refused: 0, account_requests: 0 };
  door.listener = (request, response) => {
    if (request.method === "POST" && request.url === "/token") {
      asked.token_requests += 1;
      response.once("finish", () => {
        if (response.statusCode >= 400) asked.refused += 1;
      });
    }
    return built.authorization_server(request, response);
  };
  api.listener = (request, response) => {
    if (request.url === "/me") asked.account_requests += 1;
    return built.api(request, response);
  };
  const control = serve(0, async (request) => {
    const { seconds } = await request.json();
    const deed = new URL(request.url).pathname.slice(1);
    const known = await act(deed, seconds, built, door);
    if (!known) return Response.json({ error: "no such deed" }, { status: 404 });
    return Response.json({ ...asked, grants: built.grants() } satisfies Counts);
  });
  const addresses: Addresses = {
    origin: door.origin,
    api_origin: api.origin,
    control_origin: control.origin,
  };
  console.log(JSON.stringify(addresses));
}

/** @returns false where there is no such deed */
async function act(deed: string, seconds: number, built: Built, door: Place): Promise<boolean> {
  const deeds: Readonly<Record<Deed, () => Promise<void> | void>> = {
    count: () => {},
    down: () => door.close(),
    up: () => door.open(),
    end_grants: () => built.end_grants(),
    expire: () => built.expire(),
    live_for: () => built.live_for(seconds),
  };
  if (!Object.hasOwn(deeds, deed)) return false;
  await deeds[deed as Deed]();
  return true;
}
