import { serve } from "../_shared/http/serve.ts";
import { loadAll } from "../_shared/providers/mod.ts";
import { trusted, wire } from "../_shared/wiring.ts";
import { allowed } from "./allowed.ts";
import { corsOf, proxy } from "./handler.ts";

const definitions = await loadAll(Object.keys({ ...allowed.users, ...allowed.secret_keys }));
const passing = proxy(allowed, definitions, wire);

export default { fetch: serve("proxy", ["user", "secret:*"], trusted, passing, corsOf(definitions)) };
