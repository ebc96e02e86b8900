/** Whom this deployment can connect, what each asks for, and what each is called. */

/** Whose persons are searched. */
export const PIPEDRIVE = "pipedrive";

const TITLES = { github: "GitHub", hubspot: "HubSpot", linkedin: "LinkedIn", quickbooks: "QuickBooks" };

/** "zendesk" as people write it; without a name, whoever it is. */
export function titleOf(name) {
  if (!name) return "the provider";
  return TITLES[name] ??
    name.replace(/(^|-)([a-z])/g, (_, dash, letter) => (dash && " ") + letter.toUpperCase());
}

export const isPipedrive = ({ provider }) => provider === PIPEDRIVE;

/**
 * Until the functions have said whom they offer, Pipedrive is taken for the only one.
 *
 * @param onKnown called once they have
 */
export function createOffer(api, onKnown) {
  let known = null;
  const find = (name) => known?.find((one) => one.name === name);
  const names = () => known?.length ? known.map(({ name }) => name) : [PIPEDRIVE];
  return {
    /** Asks, unless it is known. @throws {Trouble} */
    async learn() {
      if (known) return;
      const offered = await api.readOffer();
      known = offered.sort((a, b) => Number(b.name === PIPEDRIVE) - Number(a.name === PIPEDRIVE));
      onKnown();
    },
    names,
    /** The name of the only one, where there is no choice. */
    only: () => names().length === 1 ? names()[0] : undefined,
    valuesOf: (name) => find(name)?.values ?? [],
    /** Whether its provider is not offered any more. */
    lacks: ({ provider }) => known !== null && !find(provider),
    /** Whether a connection has to say whose it is. */
    tells: ({ provider }) => names().length > 1 || provider !== PIPEDRIVE,
  };
}
