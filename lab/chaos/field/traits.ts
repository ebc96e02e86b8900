/**
 * Loaded before a function: its provider, defined with other traits than Pipedrive's, which are read from
 * PROVIDER_TRAITS as whoever adds such a provider would write them.
 */
import type { Provider } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";

export type Traits = Partial<Pick<Provider, "reuse_grace" | "revokes_on_reuse">>;

Object.assign(pipedrive, JSON.parse(Deno.env.get("PROVIDER_TRAITS") ?? "{}"));
