/** What must be stopped, last started first. */
export class Undo {
  readonly #actions: (() => Promise<unknown> | unknown)[] = [];
  #done: Promise<void> | undefined;

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
