import type { World } from "./world.ts";

/** Waits, unless the caller hangs up or the sandbox closes: then rejects with the reason. No timer stays behind. */
export async function wait(world: World, ms: number, caller: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  const signal = AbortSignal.any([caller, world.closing.signal]);
  const { sleep } = world.options;
  if (sleep) await Promise.race([sleep(ms), untilAborted(signal)]);
  else await timer(ms, signal);
}

/** Never resolves: rejects when the caller hangs up or the sandbox closes. */
export function hang(world: World, caller: AbortSignal): Promise<never> {
  return untilAborted(AbortSignal.any([caller, world.closing.signal]));
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(id);
      reject(signal.reason);
    };
    const id = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
