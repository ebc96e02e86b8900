import type { Provider } from "../oauth/client.ts";
import { pipedrive } from "./pipedrive.ts";

/** Every provider this deployment can connect, by name. A map, so that `__proto__` names none. */
export const providers: ReadonlyMap<string, Provider> = new Map(
  [pipedrive].map((provider) => [provider.name, provider]),
);
