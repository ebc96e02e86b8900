/**
 * Loaded before a function: what the hosted runtime gives it beside Deno. `EdgeRuntime.waitUntil` keeps the process
 * until the work has ended (https://supabase.com/docs/guides/functions/background-tasks): told to end, it lets that
 * finish first.
 */
const behind = new Set<Promise<unknown>>();

Object.assign(globalThis, {
  EdgeRuntime: {
    waitUntil: (work: Promise<unknown>) => {
      const done = work.then(() => {}, () => {}).finally(() => behind.delete(done));
      behind.add(done);
    },
  },
});

Deno.addSignalListener("SIGTERM", async () => {
  while (behind.size > 0) await Promise.all(behind);
  Deno.exit(0);
});

export {};
