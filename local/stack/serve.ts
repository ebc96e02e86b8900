import { within } from "./process.ts";

export interface Served {
  readonly port: number;
  readonly origin: string;
  /** Lets the answers under way finish for a moment, then ends them. */
  stop(): Promise<void>;
}

const PATIENCE_MS = 2_000;

/** Serves HTTP on 127.0.0.1, at any free port if `port` is 0. Throws `Deno.errors.AddrInUse` where it is taken. */
export function serve(port: number, handler: Deno.ServeHandler): Served {
  const end = new AbortController();
  const options = { hostname: "127.0.0.1", port, signal: end.signal, onListen: () => {} };
  const server = Deno.serve(options, handler);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const stop = async () => {
    const quietly = within(server.shutdown(), PATIENCE_MS, () => "still answering");
    await quietly.catch(() => end.abort());
    await server.finished;
  };
  return { port: server.addr.port, origin, stop };
}
