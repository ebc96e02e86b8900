import type { SandboxControl } from "./types.ts";

/** Every method of the control interface; the type makes sure that none is forgotten. */
export const CONTROL_METHODS: Record<keyof SandboxControl, true> = {
  accounts: true,
  register: true,
  configure: true,
  authorize: true,
  install: true,
  grant: true,
  installations: true,
  advance_clock: true,
  expire_access_tokens: true,
  revoke: true,
  fail_next: true,
  clear_faults: true,
  uninstall: true,
  send_app_sharing_notice: true,
  journal: true,
  counts: true,
  settled: true,
  reset: true,
};

/** Controls a sandbox that is served elsewhere; its errors come back as errors. */
export function controlOf(origin: string, send: typeof fetch = fetch): SandboxControl {
  const call = async (method: string, argument: unknown) => {
    const response = await send(`${origin}/_control/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(argument ?? null),
    });
    const { result, error } = await response.json();
    if (error !== undefined) throw new Error(error);
    return result ?? undefined;
  };
  const methods = Object.keys(CONTROL_METHODS).map((name) =>
    [name, (argument?: unknown) => call(name, argument)] as const
  );
  return Object.fromEntries(methods) as unknown as SandboxControl;
}
