import type { Provider } from "../oauth/provider.ts";

export type { Provider };

/**
 * Every provider that a deployment can offer, by name. One is loaded, and its definition checked, when somebody needs it:
 * what has no settings costs nothing, and a definition that is wrong stops nobody else. A map, so that `__proto__` names
 * none.
 */
export const providers: ReadonlyMap<string, () => Promise<Provider>> = new Map(Object.entries({
  airtable: async () => (await import("./airtable.ts")).airtable,
  atlassian: async () => (await import("./atlassian.ts")).atlassian,
  github: async () => (await import("./github.ts")).github,
  google: async () => (await import("./google.ts")).google,
  hubspot: async () => (await import("./hubspot.ts")).hubspot,
  linkedin: async () => (await import("./linkedin.ts")).linkedin,
  microsoft: async () => (await import("./microsoft.ts")).microsoft,
  notion: async () => (await import("./notion.ts")).notion,
  pipedrive: async () => (await import("./pipedrive.ts")).pipedrive,
  quickbooks: async () => (await import("./quickbooks.ts")).quickbooks,
  salesforce: async () => (await import("./salesforce.ts")).salesforce,
  slack: async () => (await import("./slack.ts")).slack,
  xero: async () => (await import("./xero.ts")).xero,
  zendesk: async () => (await import("./zendesk.ts")).zendesk,
  zoho: async () => (await import("./zoho.ts")).zoho,
}));

/** @throws {TypeError} naming what is wrong with the definition, or the name that it goes by instead */
export async function load(name: string): Promise<Provider | undefined> {
  const provider = await providers.get(name)?.();
  if (provider === undefined || provider.name === name) return provider;
  throw new TypeError(`${name}: its definition is named "${provider.name}"`);
}

/** Those of these names that there are; all of them, unless told which. */
export async function loadAll(names: Iterable<string> = providers.keys()): Promise<Map<string, Provider>> {
  const loaded = await Promise.all(Array.from(names, load));
  return new Map(loaded.flatMap((provider) => provider ? [[provider.name, provider]] : []));
}
