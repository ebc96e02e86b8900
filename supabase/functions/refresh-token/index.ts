import { serve } from "../_shared/http/serve.ts";
import { trusted, wire } from "../_shared/wiring.ts";
import { refreshToken } from "./handler.ts";

export default {
  fetch: serve("refresh-token", ["user", "secret:*"], trusted, refreshToken(wire)),
};
