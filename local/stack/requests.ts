/** The requests that a process has under way. */
export class Requests {
  readonly #underWay = new Set<Promise<void>>();

  async watch(answering: Promise<Response>): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay.add(promise);
    const over = () => {
      this.#underWay.delete(promise);
      resolve();
    };
    try {
      const answer = await answering;
      if (answer.body !== null) return new Response(untilRead(answer.body, over), answer);
      over();
      return answer;
    } catch (error) {
      over();
      throw error;
    }
  }

  async over(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
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
