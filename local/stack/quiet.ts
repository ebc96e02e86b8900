import { AsyncLocalStorage } from "node:async_hooks";

type Log = (line: string) => void;
type Method = "log" | "info" | "warn" | "error";

const METHODS: readonly Method[] = ["log", "info", "warn", "error"];
const listener = new AsyncLocalStorage<Log>();
let installed = false;

/**
 * Runs `action`; what it, or a library it calls, prints to the console goes to `log`. Everyone else's printing
 * stays as it is, also while `action` runs.
 */
export function printingTo<T>(log: Log, action: () => T): T {
  install();
  return listener.run(log, action);
}

function install(): void {
  if (installed) return;
  installed = true;
  for (const method of METHODS) {
    const original = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      const log = listener.getStore();
      if (log === undefined) original(...values);
      else listener.exit(() => log(`${method}: ${values.map(inWords).join(" ")}`));
    };
  }
}

function inWords(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value, { depth: 4 });
}
