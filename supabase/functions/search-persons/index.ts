import { serve } from "../_shared/http/serve.ts";
import { trusted, wire } from "../_shared/wiring.ts";
import { searchPersons } from "./handler.ts";

export default {
  fetch: serve("search-persons", ["user", "secret:*"], trusted, (edge) => searchPersons(edge, wire)),
};
