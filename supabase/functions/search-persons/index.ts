import { serve } from "../_shared/http/serve.ts";
import { wire } from "../_shared/wiring.ts";
import { searchPersons } from "./handler.ts";

export default { fetch: serve("search-persons", ["user", "secret:*"], (edge) => searchPersons(edge, wire)) };
