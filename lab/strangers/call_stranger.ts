/** The function that strangers are called with, copied beside the project's own as an application's would be. */
import * as v from "valibot";
import { parse, readJson } from "../../supabase/functions/_shared/http/input.ts";
import { json } from "../../supabase/functions/_shared/http/respond.ts";
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import { callApi } from "../../supabase/functions/_shared/use/call_api.ts";
import { trusted, wire } from "../../supabase/functions/_shared/wiring.ts";

const input = v.strictObject({ provider: v.string(), connection_id: v.string(), path: v.string() });

export default {
  fetch: serve("call-stranger", ["user"], trusted, async (edge) => {
    const { provider, connection_id, path } = parse(input, await readJson(edge.request));
    const user_id = edge.caller.kind === "user" ? edge.caller.user_id : "";
    const { body } = await callApi((await wire(edge)).context(provider), { connection_id, user_id, path });
    return json({ process: Deno.pid, api: await new Response(body).json() });
  }),
};
