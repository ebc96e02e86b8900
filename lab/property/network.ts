import { json } from "../../tests/support/fake_fetch.ts";
import { refusal } from "../../tests/support/token_endpoint.ts";
import type { Authority, Issued } from "./authority.ts";
import type { TokenRequest } from "./history.ts";
import type { Fate } from "./plan.ts";

/** The provider's user and company: one account, so that connecting again finds the same connection. */
export const ACCOUNT = { key: "7:42", company_id: 7, id: 42 };

/** What is between an isolate and the provider. */
export interface Line {
  readonly isolate: number;
  readonly authority: Authority;
  /** Waits for its turn; never resolves for an isolate that has died. */
  step(label: string): Promise<void>;
  nextFate(): Fate;
  record(request: Omit<TokenRequest, "at">): TokenRequest;
}

/**
 * The provider as one isolate reaches it. A request takes two steps, so that anything can come between what the
 * provider does and when its answer is read. One that was given up before it arrived does not arrive.
 */
export function openLine(line: Line): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = new URLSearchParams(await request.text());
    const { signal } = request;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    return await Promise.race([answered(line, new URL(request.url).pathname, body, signal), aborted.promise]);
  };
}

async function answered(
  line: Line,
  path: string,
  body: URLSearchParams,
  signal: AbortSignal,
): Promise<Response> {
  const what = body.get("grant_type") ?? path;
  await line.step(`${what} goes out`);
  if (signal.aborted) return await silence();
  if (body.get("grant_type") === "refresh_token") return await refreshed(line, body, signal);
  const answer = await other(line, path, body);
  await line.step(`${what} is answered`);
  return answer;
}

/** Whatever but a refresh: it always works, because nothing of it is what these tests are about. */
function other({ authority }: Line, path: string, body: URLSearchParams): Response {
  if (path === "/oauth/revoke") {
    authority.revoke(body.get("token") ?? "");
    return new Response(null, { status: 200 });
  }
  if (path === "/oauth/token") return json(bodyOf(authority.grant()));
  const { company_id, id } = ACCOUNT;
  return json({ success: true, data: { company_id, id, company_name: "Acme", email: "jane@acme.example" } });
}

async function refreshed(line: Line, body: URLSearchParams, signal: AbortSignal): Promise<Response> {
  const { authority, isolate } = line;
  const presented = body.get("refresh_token") ?? "";
  const fate = line.nextFate();
  const acts = fate === "answered" || fate.startsWith("acts");
  const issued = acts ? authority.refresh(presented) : null;
  const request = acts
    ? line.record({ kind: "token request", isolate, presented, issued, delivered: false })
    : null;
  await line.step(`refresh of ${presented}: ${fate}`);
  switch (fate) {
    case "answered":
      if (request) request.delivered = !signal.aborted;
      return issued ? json(bodyOf(issued)) : refusal("invalid_grant");
    case "acts, answer lost":
      throw new TypeError("connection reset by peer");
    case "acts, answers 502":
      return new Response("<html>Bad Gateway</html>", {
        status: 502,
        headers: { "content-type": "text/html" },
      });
    case "answers 500":
      return refusal("server_error", 500);
    case "turns away":
      return new Response("", { status: 503 });
    case "refuses the client":
      return refusal("invalid_client", 401);
    case "refuses without a code":
      return json({ success: false, message: "Invalid grant: refresh_token is invalid" }, 400);
    case "acts, falls silent":
    case "falls silent":
      return await silence();
  }
}

function bodyOf({ access_token, refresh_token }: Issued) {
  return {
    access_token,
    refresh_token,
    token_type: "Bearer",
    expires_in: 3599,
    scope: "base,contacts:read",
    api_domain: "https://acme.pipedrive.com",
  };
}

function silence(): Promise<never> {
  return new Promise(() => {});
}
