/** The callers, in a process of their own: what they cost is not measured along. Told over HTTP what to ask. */
import { Line } from "./line.ts";

export interface Target {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  /** Taken by the callers in turn. */
  readonly targets: readonly Target[];
  /** Each has a connection of its own, opened before the clock starts, and asks again as soon as it is answered. */
  readonly callers: number;
  /** Requests in all. */
  readonly count?: number;
  /** In place of a count: no request begins after this many milliseconds. */
  readonly during_ms?: number;
}

export interface Answered {
  /** Of each request, milliseconds. */
  readonly latencies: readonly number[];
  /** How often which status came. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly took_ms: number;
}

async function run({ targets, callers, count = Infinity, during_ms = Infinity }: Load): Promise<Answered> {
  const [latencies, statuses]: [number[], Record<number, number>] = [[], {}];
  const all = await Promise.all(Array.from({ length: callers }, (_, caller) => {
    const target = targets[caller % targets.length];
    if (target === undefined) throw new Error("there is nothing to ask");
    return opened(target);
  }));
  const began = performance.now();
  let begun = 0;
  await Promise.all(all.map(async ({ line, request }) => {
    while (begun < count && performance.now() - began < during_ms) {
      begun += 1;
      const asked = performance.now();
      const status = await line.ask(request);
      latencies.push(performance.now() - asked);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }));
  const took_ms = performance.now() - began;
  for (const { line } of all) line.close();
  return { latencies, statuses, took_ms };
}

async function opened(target: Target): Promise<{ line: Line; request: Uint8Array }> {
  return { line: await Line.open(new URL(target.url).origin), request: bytesOf(target) };
}

function bytesOf({ url, method = "GET", headers = {}, body }: Target): Uint8Array {
  const { host, pathname, search } = new URL(url);
  const bytes = new TextEncoder().encode(body ?? "");
  const all = { host, ...headers, ...(body !== undefined && { "content-length": String(bytes.length) }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return new TextEncoder().encode(`${method} ${pathname}${search} HTTP/1.1\r\n${lines}\r\n${body ?? ""}`);
}

if (import.meta.main) {
  const onListen = ({ port }: { port: number }) =>
    console.log(JSON.stringify({ origin: `http://127.0.0.1:${port}` }));
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async (request) => {
    return Response.json(await run(await request.json()));
  });
}
