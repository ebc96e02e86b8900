import { json } from "../../supabase/functions/_shared/http/respond.ts";
import type { AuthModes } from "../../supabase/functions/_shared/http/caller.ts";
import { type Edge, serve } from "../../supabase/functions/_shared/http/serve.ts";
import { bearer, TRUSTED, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

export const USER = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";

/** A function that answers with its caller, or with what the test's own handler does. */
export function ask(
  init: RequestInit = {},
  handle: (edge: Edge) => Promise<Response> = ({ caller }) => Promise.resolve(json(caller)),
  auth: AuthModes = ["user", "secret:*"],
) {
  const request = new Request("http://localhost/functions/v1/echo", init);
  return logging(() => serve("echo", auth, TRUSTED, handle)(request));
}

export const asUser = async () => ({ headers: bearer(await userToken({ sub: USER })) });
