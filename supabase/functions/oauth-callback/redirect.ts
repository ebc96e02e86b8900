import type { Context } from "../_shared/context.ts";
import { PublicError } from "../_shared/errors.ts";
import { asPublicError } from "../_shared/http/errors.ts";
import { seeOther } from "../_shared/http/respond.ts";
import { receiveAuthorizationResponse } from "../_shared/connect/receive.ts";
import type { Call, Handler } from "./call.ts";
import { isUnderApp, withAnswer } from "./return_to.ts";

/**
 * The browser comes back from the provider: the code is parked, and the application gets a ticket for it.
 *
 * Everything travels in the fragment, which no server and no referrer sees. Nothing that the provider or an attacker
 * wrote into the URL is repeated. A failure, too, ends in the application, because a person sits before this answer.
 */
export const receiveRedirect: Handler = async (call) => {
  const { edge, wiring } = call;
  if (isPrefetch(edge.request)) {
    throw new PublicError("INVALID_REQUEST", "the redirect is not answered before somebody follows it");
  }
  // Whoever asks for a provider that is not offered was sent by none.
  const context = call.context();
  const { location, code } = await destinationOf(call, context).catch((error: unknown) => {
    const { code, reason } = asPublicError(error);
    edge.log.reason = reason;
    return failed(code, wiring.app_origins);
  });
  edge.log.code = code;
  return seeOther(location);
};

interface Destination {
  readonly location: string;
  /** Absent where all went well. */
  readonly code?: string;
}

async function destinationOf({ edge, wiring }: Call, context: Context): Promise<Destination> {
  const received = await receiveAuthorizationResponse(context, new URL(edge.request.url).searchParams);
  edge.log.outcome = received.outcome;
  if (received.outcome === "not_begun_here") {
    return failed("AUTHORIZATION_NOT_STARTED_HERE", wiring.app_origins);
  }
  if (received.outcome === "invalid" || !isUnderApp(received.return_to, wiring.app_origins)) {
    return failed("AUTHORIZATION_REQUEST_INVALID", wiring.app_origins);
  }
  if (received.outcome === "denied") {
    // Not always by the user: a scope, or our client, may be what it does not like.
    edge.log.reason = `the provider answered "${received.error}"`;
    return failed("AUTHORIZATION_DENIED", [received.return_to]);
  }
  return { location: withAnswer(received.return_to, "oauth_ticket", received.ticket) };
}

function failed(code: string, [place = ""]: readonly string[]): Destination {
  return { location: withAnswer(place, "oauth_error", code), code };
}

/** A browser that loads ahead (Fetch standard, `Sec-Purpose`) must not use up a `state`; what is refused it asks for again. */
function isPrefetch({ headers }: Request): boolean {
  return ["sec-purpose", "purpose", "x-moz"].some((name) =>
    /prefetch|prerender/.test(headers.get(name) ?? "")
  );
}
