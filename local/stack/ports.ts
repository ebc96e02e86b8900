import { freePort } from "./process.ts";

const HIGHEST = 65_535;

/** Gives out ports from `first` upwards; from 0, always 0: any free one. */
export class Ports {
  #last: number;

  constructor(first: number) {
    this.#last = first - 1;
  }

  /** The first port itself, which others will look for. Throws where it is taken. */
  async exact(): Promise<number> {
    if (this.#last < 0) return 0;
    const port = ++this.#last;
    if (await freePort(port) !== null) return port;
    throw new Error(`Port ${port} is taken. Choose another, or 0 for any that is free`);
  }

  /** The next one that is free. */
  async next(): Promise<number> {
    if (this.#last < 0) return 0;
    while (this.#last < HIGHEST) {
      if (await freePort(++this.#last) !== null) return this.#last;
    }
    return 0;
  }
}
