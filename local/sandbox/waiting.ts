import type { Call } from "./router.ts";

/** Waits, unless the caller hangs up or the sandbox closes: then rejects with the reason. No timer stays behind. */
export async function wait(call: Call, ms: number): Promise<void> {
  if (ms <= 0) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = call.world.options.sleep?.(ms) ??
    new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  try {
    await Promise.race([passed, hang(call)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never resolves: rejects when the caller hangs up or the sandbox closes. */
export function hang({ world, request }: Call): Promise<never> {
  const signal = AbortSignal.any([request.signal, world.closing.signal]);
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
