import { type SandboxControl, serveSandbox } from "../sandbox/mod.ts";
import { readIfThere, writeWhole } from "./process.ts";

export interface Provider {
  readonly origin: string;
  /** Null where the provider is not ours to move. */
  readonly control: SandboxControl | null;
  /** Whether its API was at another address when the connections of the last run were made. */
  readonly moved: boolean;
  /** The settings that send the functions there. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
}

const CLIENT_ID = "local-stack";

/**
 * Starts the sandbox, with our client registered.
 *
 * @param file keeps its grants between runs; without it they end with this one
 */
export async function startSandbox(port: number, redirect_uri: string, file?: string): Promise<Provider> {
  const client_secret = crypto.randomUUID();
  const kept = file === undefined ? {} : {
    kept: await readIfThere(file),
    keep: (text: string) => writeWhole(file, text),
  };
  const sandbox = await serveSandbox({ port, client_id: CLIENT_ID, client_secret, redirect_uri, ...kept });
  const { origin } = sandbox;
  const env = {
    PIPEDRIVE_CLIENT_ID: CLIENT_ID,
    PIPEDRIVE_CLIENT_SECRET: client_secret,
    PIPEDRIVE_OAUTH_ORIGIN: origin,
    PIPEDRIVE_API_ORIGINS: origin,
  };
  return { ...sandbox, env };
}

/** Another authorization server. Who our client is there the settings say; without them the sandbox's name is tried. */
export function externalProvider(origin: string): Provider {
  const env = { PIPEDRIVE_CLIENT_ID: CLIENT_ID, PIPEDRIVE_CLIENT_SECRET: CLIENT_ID };
  return { origin, control: null, moved: false, env, stop: () => Promise.resolve() };
}
