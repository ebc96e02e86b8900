import { asFetch, createSandbox, type Switches } from "../../local/sandbox/mod.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import type { Wire } from "../../supabase/functions/_shared/wiring.ts";
import { searchPersons } from "../../supabase/functions/search-persons/handler.ts";
import { FakeClock } from "../support/clock.ts";
import { connected, makeContext } from "../support/context.ts";
import { type Connected, type ConnectedOptions, makeClient } from "../support/make.ts";
import { PROJECT, SECRET_KEYS, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

export const ADDRESS = "http://localhost/functions/v1/search-persons";

/** A user connected to a Pipedrive of our own, behind the real edge. */
export async function scene(switches: Partial<Switches> = {}) {
  const clock = new FakeClock({ auto: true });
  const { client_id, client_secret, redirect_uri } = makeClient();
  const now = () => Date.UTC(2026, 10, 23) + clock.now();
  const sandbox = createSandbox({
    client_id,
    client_secret,
    redirect_uri,
    now,
    sleep: (ms) => clock.sleep(ms),
  });
  await sandbox.control.configure({ rotate_refresh: true, ...switches });
  const network = asFetch(sandbox);
  const context = await makeContext({ clock, fetch: network });
  const wire: Wire = ({ log }) =>
    Promise.resolve({
      app_origins: ["https://app.example"],
      providers: ["pipedrive"],
      store: context.store,
      context: (provider) => {
        if (provider !== "pipedrive") throw new PublicError("UNKNOWN_PROVIDER", "there is no such provider");
        log.provider = provider;
        return context;
      },
    });
  const connect = async (options: ConnectedOptions = {}): Promise<Connected> => {
    const { access_token, refresh_token, api_domain } = await sandbox.control.grant();
    return await connected(context, { access_token, refresh_token, api_origin: api_domain, ...options });
  };
  const fetch = serve("search-persons", ["user", "secret:*"], (edge) => searchPersons(edge, wire));
  const ask = (address: string, init: RequestInit = {}) =>
    logging(() => fetch(new Request(address, init)).finally(() => clock.settle()));
  return {
    context,
    network,
    control: sandbox.control,
    connect,
    ask,
    /** GETs as this user. */
    search: async (user_id: string, query = "term=jane") =>
      await ask(`${ADDRESS}?${query}`, {
        headers: { authorization: `Bearer ${await userToken({ sub: user_id })}` },
      }),
    asSecret: (query: string) => ask(`${ADDRESS}?${query}`, { headers: { apikey: SECRET_KEYS.default } }),
    searches: async () => (await sandbox.control.counts()).requests.search,
    refreshes: async () => (await sandbox.control.counts()).requests["token:refresh"],
  };
}
