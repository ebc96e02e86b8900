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

let handler: Deno.ServeHandler | undefined;

/** The address is the runtime's to choose, whatever a function asks for. */
function serve(...given: unknown[]): Deno.HttpServer {
  const options = given.find((one): one is { handler: Deno.ServeHandler } =>
    typeof one === "object" && one !== null && "handler" in one
  );
  handler = given.find((one): one is Deno.ServeHandler => typeof one === "function") ?? options?.handler;
  const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 0 };
  const forever = new Promise<void>(() => {});
  const quiet = () => {};
  return {
    addr,
    finished: forever,
    ref: quiet,
    unref: quiet,
    shutdown: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
const { serve: real } = Deno;
Object.assign(Deno, { serve });

/** What a function serves: its default export's `fetch`, or what it gave to `Deno.serve`. */
export function served(
  { default: exported }: { default?: Deno.ServeDefaultExport },
): Deno.ServeDefaultExport {
  // `deno serve` needs it.
  Object.assign(Deno, { serve: real });
  if (exported) return exported;
  if (!handler) throw new Error("the function exports no fetch and serves nothing by Deno.serve");
  const own = handler;
  return { fetch: (request, info) => own(request, info) };
}
