/**
 * Loaded before a function: its calls go through its own two proxies, as with a hosts file of its own. What it is told,
 * and so what it writes, are the addresses that every process of a deployment is told. OWN_WAYS: from which beginning of
 * an address to which.
 */
const ways = Object.entries<string>(JSON.parse(Deno.env.get("OWN_WAYS") ?? "{}"));
const realFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  const [from, to] = ways.find(([from]) => url.startsWith(from)) ?? ["", ""];
  const address = to + url.slice(from.length);
  return input instanceof Request ? realFetch(new Request(address, input), init) : realFetch(address, init);
};
