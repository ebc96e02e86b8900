import { serve } from "../_shared/http/serve.ts";
import { trusted, wire } from "../_shared/wiring.ts";
import { routes } from "./routes.ts";

// A provider's redirect and notices carry no login: what needs a user asks for one itself.
export default { fetch: serve("oauth-callback", ["user", "none"], trusted, routes(wire)) };
