/**
 * Whether a browser may be sent to this origin: it is listed, or an entry such as `https://*.preview.example.com` has it,
 * where `*` stands for one label.
 */
export function isListed(origin: string, app_origins: readonly string[]): boolean {
  if (origin.includes("*")) return false;
  return app_origins.includes(origin) ||
    app_origins.includes(origin.replace(/^https:\/\/[a-z0-9_-]+\./, "https://*."));
}

/** What is wrong with the entries that stand for many origins. */
export async function wildcardProblems(app_origins: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  if (app_origins[0]?.includes("*")) {
    problems.push("must begin with an origin without *: the browser is sent there by default");
  }
  for (const origin of app_origins.filter((one) => one.includes("*"))) {
    const domain = /^https:\/\/\*\.([^*:]+[^*:.])(?::\d+)?$/.exec(origin)?.[1];
    if (domain === undefined) problems.push("may have a * only as the whole first label, with https");
    else if (await isPublicSuffix(domain)) problems.push(EVERYBODYS);
  }
  return problems;
}

const EVERYBODYS =
  "has a * under a public suffix, where anybody can take a name that matches and be sent the " +
  "tickets of your users: serve previews under a domain of your own, or let a branch project with an APP_URL of its " +
  "own serve them";

/** Whether names right under this domain are anybody's (https://publicsuffix.org/list/, its private part included). */
export async function isPublicSuffix(domain: string): Promise<boolean> {
  const { PUBLIC_SUFFIXES } = await import("./public_suffixes.ts");
  const rules = new Set(PUBLIC_SUFFIXES.split(" "));
  const parent = domain.replace(/^[^.]+\.?/, "");
  if (rules.has(`!${domain}`)) return false;
  return parent === "" || [domain, `*.${parent}`, `*.${domain}`].some((rule) => rules.has(rule));
}
