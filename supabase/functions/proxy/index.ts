import { serve } from "../_shared/http/serve.ts";
import { trusted, wire } from "../_shared/wiring.ts";
import { allowed } from "./allowed.ts";
import { cors, proxy } from "./handler.ts";

export default {
  fetch: serve("proxy", ["user", "secret:*"], trusted, proxy(allowed, wire), cors),
};
