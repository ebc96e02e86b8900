import type { Provider, Source } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { fill } from "../../../supabase/functions/_shared/oauth/template.ts";
import { nested } from "./nested.ts";
import type { AccountFacts } from "./types.ts";

/** The account request of a definition, answered with what its sources read. */
export function accountsOf(
  { account, api }: Provider,
  base: string,
  url: (template: string) => string,
  values: Readonly<Record<string, string>>,
): AccountFacts[] {
  const { request } = account;
  if (!request) return [];
  const at = new URL(
    request.url.startsWith("/") ? base + (fill(request.url, values) ?? "") : url(request.url),
  );
  const sources = [...account.key, account.name, account.email].filter((source) => source !== undefined);
  const fine = api.failed.flatMap((signal) =>
    typeof signal === "object" && "path" in signal ? [signal.path] : []
  );
  const body = nested([
    ...sources.flatMap(accountPath).map((path) => [path, "7"] as const),
    ...fine.map((path) => [path, true] as const),
  ]);
  return [{
    method: request.method ?? "GET",
    url: at.origin + at.pathname,
    query: Object.fromEntries(at.searchParams),
    answer: () => body,
  }];
}

function accountPath(source: Source): string[] {
  return source.startsWith("account:") ? [source.slice("account:".length)] : [];
}
