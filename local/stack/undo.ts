/** What must be stopped, last started first. */
export class Undo {
  readonly #actions: (() => Promise<unknown> | unknown)[] = [];
  #done: Promise<void> | undefined;

  /** What `build` gives. Where it fails, what it has started is stopped before the error rises. */
  static async around<T>(build: (undo: Undo) => Promise<T>): Promise<T> {
    const undo = new Undo();
    try {
      return await build(undo);
    } catch (error) {
      await undo.run();
      throw error;
    }
  }

  add(action: () => Promise<unknown> | unknown): void {
    this.#actions.push(action);
  }

  /** Runs every action, also after one that fails; the second call waits for the first. */
  run(): Promise<void> {
    return this.#done ??= this.#run();
  }

  async #run(): Promise<void> {
    const troubles: unknown[] = [];
    for (const action of this.#actions.reverse()) {
      try {
        await action();
      } catch (error) {
        troubles.push(error);
      }
    }
    if (troubles.length > 0) {
      throw new AggregateError(troubles, `Not everything stopped: ${troubles.join("; ")}`);
    }
  }
}
