import { ACCOUNTS } from "./accounts.ts";
import { createControl } from "./control.ts";
import { route } from "./router.ts";
import { createWorld, type World } from "./world.ts";
import type { Sandbox, SandboxOptions } from "./types.ts";

/** A sandbox in this process, without a socket. Pass `asFetch(sandbox)` to code that wants a `fetch`. */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  return openSandbox(options).sandbox;
}

/** The sandbox with its world, for whoever serves it and must close it. */
export function openSandbox(options: SandboxOptions): { sandbox: Sandbox; world: World } {
  const world = createWorld(options);
  const answer = (request: Request) => route(world, request);
  const sandbox: Sandbox = {
    origin: world.origin,
    control: createControl(world, answer),
    fetch: async (request) => {
      request.signal.throwIfAborted();
      const host = new URL(request.url).hostname;
      if (world.own_hosts && !OWN_HOSTS.has(host)) throw unknownHost(request.url);
      return await Promise.race([answer(request), hungUp(request.signal)]);
    },
  };
  return { sandbox, world };
}

const OWN_HOSTS = new Set([
  "oauth.pipedrive.com",
  "api.pipedrive.com",
  ...ACCOUNTS.map((account) => `${account.company_domain}.pipedrive.com`),
]);

const MAX_REDIRECTS = 20;

/**
 * The sandbox as a `fetch`: the same arguments, aborts and redirect modes. What is not at the sandbox's origin cannot
 * be reached, as without a network.
 */
export function asFetch(sandbox: Sandbox): typeof fetch {
  return async (input, init) => {
    let request = new Request(input, init);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await reach(sandbox, request);
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) return response;
      if (request.redirect === "manual") return response;
      if (request.redirect === "error") {
        throw new TypeError(`Encountered redirect while fetching ${request.url}`);
      }
      const { headers, signal } = request;
      request = new Request(new URL(location, request.url), { headers, signal });
    }
    throw new TypeError("Maximum number of redirects (20) reached");
  };
}

async function reach(sandbox: Sandbox, request: Request): Promise<Response> {
  const foreign = new URL(request.url).origin !== sandbox.origin;
  if (foreign && sandbox.origin !== "https://oauth.pipedrive.com") throw unknownHost(request.url);
  return await sandbox.fetch(request);
}

function unknownHost(url: string): TypeError {
  const { origin, pathname } = new URL(url);
  return new TypeError(
    `error sending request for url (${origin}${pathname}): client error (Connect): dns error: failed to lookup address`,
  );
}

/** Rejects with the caller's own reason once the caller hangs up, whatever the sandbox is doing. */
function hungUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}
