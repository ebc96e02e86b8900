import { DESCRIBING } from "../oauth/api_answer.ts";
import type { Provider } from "../oauth/provider.ts";

/** What pages may send to the providers' APIs, and see of their answers. */
export function headersOf(
  providers: Iterable<Provider>,
  { methods, headers }: { readonly methods: readonly string[]; readonly headers: readonly string[] },
) {
  const apis = Array.from(providers, ({ api }) => api);
  const limits = apis.flatMap(({ rate_limit }) => [...rate_limit.headers, ...Object.keys(rate_limit.reset)]);
  return {
    methods,
    headers: ["accept", ...headers, ...apis.flatMap(({ caller_headers }) => caller_headers)],
    exposed: [...DESCRIBING, ...limits],
  };
}
