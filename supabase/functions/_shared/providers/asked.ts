import type { Provider } from "../oauth/provider.ts";

/** What a page needs to know to begin: whom it can connect, and what it has to ask its user for. */
export interface Asked {
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly label: string; readonly required: boolean }[];
}

export function asked({ name, values }: Provider): Asked {
  const given = Object.entries(values).filter(([, { from }]) => from === "user");
  return {
    name,
    values: given.map(([name, { label = name, default: fallback }]) => ({
      name,
      label,
      required: fallback === undefined,
    })),
  };
}
