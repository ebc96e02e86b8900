/** A map of the entries that were used last: the one that was not for the longest gives way to the next. */
export class Latest<Value> {
  readonly #entries = new Map<string, Value>();

  /** @param most entries that are kept */
  constructor(private readonly most: number) {}

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [oldest] = this.#entries.size > this.most ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
