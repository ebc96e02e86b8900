/**
 * Loaded before a function: shifts what the process takes for the time by CLOCK_SKEW_MS. Only the wall clock: the
 * monotonic one and timers run on, as they do on a machine whose clock is wrong.
 */
const skew = Number(Deno.env.get("CLOCK_SKEW_MS") ?? 0);
const RealDate = Date;
const realNow = Date.now.bind(Date);
const timeOrigin = performance.timeOrigin;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [realNow() + skew] : args, newTarget),
  apply: () => new RealDate(realNow() + skew).toString(),
  get: (target, name, receiver) =>
    name === "now" ? () => realNow() + skew : Reflect.get(target, name, receiver),
});
console.log(`the clock is off by ${Date.now() - realNow()} ms`);
Object.defineProperty(performance, "timeOrigin", { get: () => timeOrigin + skew });
