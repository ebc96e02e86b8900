import { ACCOUNTS } from "./accounts.ts";
import { createControl, type SandboxControl } from "./control.ts";
import { unanswered } from "./faults.ts";
import { answer } from "./router.ts";
import { type SandboxOptions, World } from "./world.ts";

export interface Sandbox {
  /** Where it says it is: the authorization server's origin. */
  readonly origin: string;
  readonly control: SandboxControl;
  /** Answers one request; rejects as `fetch` does when the connection fails or the caller hangs up. */
  answer(request: Request): Promise<Response>;
}

/**
 * A sandbox in this process, without a socket, that plays Pipedrive's own hosts: `https://oauth.pipedrive.com` and one
 * `https://{company_domain}.pipedrive.com` per company. Pass `asFetch(sandbox)` to code that wants a `fetch`.
 */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const world = new World(options);
  return {
    origin: world.origin,
    control: createControl(world),
    answer: (request) => answer(world, request),
  };
}

const HOSTS = new Set(["oauth", "api", ...ACCOUNTS.map(({ company_domain }) => company_domain)]);

/** The sandbox as a `fetch`: the same arguments and aborts. Other hosts cannot be reached, and no redirect is followed. */
export function asFetch(sandbox: Sandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const url = new URL(request.url);
    const [, host = ""] = /^https:\/\/([^.]+)\.pipedrive\.com$/.exec(url.origin) ?? [];
    if (!HOSTS.has(host)) throw unanswered(url, "(Connect): dns error: failed to lookup address");
    const response = await sandbox.answer(request);
    if (response.headers.has("location") && request.redirect !== "manual") {
      throw new TypeError(`Encountered redirect while fetching ${request.url}`);
    }
    return response;
  };
}
