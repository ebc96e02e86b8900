/** What of a browser's tab the client touches, where there is none: the address it is at, and how it is replaced. */

/** @returns what the address bar says */
export function arriveAt(url: string): () => string {
  let at = new URL(url);
  const history = {
    state: null,
    replaceState: (_: unknown, _title: string, next: string) => void (at = new URL(next, at)),
  };
  set("history", { value: history, configurable: true });
  set("location", { get: () => at, configurable: true });
  return () => at.href;
}

export function leave(): void {
  set("history", { value: undefined, configurable: true });
  set("location", { value: undefined, configurable: true });
}

function set(name: string, property: PropertyDescriptor): void {
  Object.defineProperty(globalThis, name, property);
}
