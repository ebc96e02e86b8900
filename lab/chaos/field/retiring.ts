import type { Instance } from "../../../local/stack/function_instance.ts";
import { within } from "../../../local/stack/process.ts";

/** No request and no commit behind one goes on for longer. */
const TIMEOUT_MS = 60_000;

/** The process of a function that a deployment may replace. */
export interface Retiring extends Instance {
  /** Ends it as a deployment does: once its requests are answered and what it does behind them is done. */
  retire(): Promise<void>;
}

/** Knows the instance's requests, each of which counts as under way until its answer was read to the end. */
export function retiring(instance: Instance): Retiring {
  const underWay = new Set<Promise<void>>();
  const ask = async (path: string, init: RequestInit) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    underWay.add(promise);
    const over = () => {
      underWay.delete(promise);
      resolve();
    };
    try {
      const answer = await instance.fetch(path, init);
      if (answer.body !== null) return new Response(untilRead(answer.body, over), answer);
      over();
      return answer;
    } catch (error) {
      over();
      throw error;
    }
  };
  const answered = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };
  const retire = async () => {
    // Whoever has just chosen this process sends first.
    await new Promise((resolve) => setTimeout(resolve));
    await within(answered(), TIMEOUT_MS, () => "still answering").catch(() => {});
    await instance.kill("SIGTERM", TIMEOUT_MS);
  };
  return { ...instance, fetch: ask, retire };
}

/** The same body; tells when it was read to its end, or will not be. */
function untilRead(body: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        over();
      } catch (error) {
        over();
        throw error;
      }
    },
    cancel: async (reason) => {
      over();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
