import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import type { Wiring } from "../../supabase/functions/_shared/wiring.ts";
import { refreshToken } from "../../supabase/functions/refresh-token/handler.ts";
import { PROJECT, TRUSTED } from "../../tests/functions/callers.ts";
import { logging } from "../../tests/functions/log_lines.ts";
import { makeContext } from "../../tests/support/context.ts";
import type { Queued } from "./stand_ins.ts";

for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

/** Sends a queued request to the real function behind its real edge: what it answers, logs, and asks its database. */
export async function send({ method, url, headers, body }: Queued) {
  const context = await makeContext();
  const wiring: Wiring = {
    context: () => context,
    store: context.store,
    app_origins: [],
    offered: [{ name: "pipedrive", values: [] }],
  };
  const refresh = refreshToken(() => Promise.resolve(wiring));
  const handle = serve("refresh-token", ["user", "secret:*"], TRUSTED, refresh);
  const { result, lines } = await logging(() => handle(new Request(url, { method, headers, body })));
  return { status: result.status, answer: await result.json(), line: lines[0], calls: context.store.calls };
}
