/** The Pipedrive sandbox in a process of its own. The argument: its client. */
import { serveSandbox } from "../../../local/sandbox/mod.ts";

const sandbox = await serveSandbox({ hostname: "127.0.0.1", ...JSON.parse(Deno.args[0] ?? "") });
console.log(JSON.stringify({ origin: sandbox.origin }));
