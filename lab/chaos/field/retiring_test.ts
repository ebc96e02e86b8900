import { startInstance } from "../../../local/stack/function_instance.ts";
import { assertEquals } from "../../../tests/support/assert.ts";
import { retiring } from "./retiring.ts";

/** Answers with what it was sent; `/behind` goes on after its answer, until it is told to end. */
const ECHO = `
  declare const EdgeRuntime: { waitUntil(work: Promise<unknown>): void };
  export default {
    async fetch(request: Request): Promise<Response> {
      if (request.url.endsWith("/behind")) {
        const ended = new Promise((resolve) => Deno.addSignalListener("SIGTERM", resolve));
        EdgeRuntime.waitUntil(ended.then(() => console.log("done behind the answer")));
      }
      return new Response(await request.text());
    },
  };`;

Deno.test("a process that is replaced ends what it has begun first, and what it does behind its answers", async () => {
  const entrypoint = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(entrypoint, ECHO);
  const log: string[] = [];
  const take = (line: string) => log.push(line);
  const instance = retiring(await startInstance({ name: "echo", entrypoint, env: {}, log: take }));
  await (await instance.fetch("/behind", {})).body?.cancel();
  const upload = new TransformStream<Uint8Array, Uint8Array>();
  const writer = upload.writable.getWriter();
  const underWay = instance.fetch("/", { method: "POST", body: upload.readable });
  await writer.write(new TextEncoder().encode("begun before, "));
  const retired = instance.retire();
  await writer.write(new TextEncoder().encode("ended after"));
  await writer.close();
  assertEquals(await (await underWay).text(), "begun before, ended after");
  await retired;
  assertEquals([await instance.ended, log.at(-1)], [false, "echo: done behind the answer"]);
  await Deno.remove(entrypoint);
});
