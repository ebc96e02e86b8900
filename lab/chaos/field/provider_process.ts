/** The Pipedrive sandbox in a process of its own. The argument: its client. */
import { serveSandbox } from "../../../local/sandbox/mod.ts";

const sandbox = await serveSandbox(JSON.parse(Deno.args[0] ?? ""));
console.log(JSON.stringify({ origin: sandbox.origin }));
