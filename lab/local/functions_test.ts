/** Functions behind the gateway, as the hosted runtime would run them: tiny ones in a folder of their own. */
import { pathToFileURL } from "node:url";
import { type Functions, startFunctions } from "../../local/stack/functions.ts";
import { serve } from "../../local/stack/serve.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../tests/support/assert.ts";

/** Tells what it sees; `/crash` ends the process as a fault of its own would, `/wait` answers nobody. */
const ECHO = `
  export default {
    async fetch(request: Request): Promise<Response> {
      const url = new URL(request.url);
      if (url.pathname.endsWith("/crash")) Deno.exit(1);
      if (url.pathname.endsWith("/wait")) {
        console.log("waiting");
        return await new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => {
            console.log("the caller has left");
            reject(request.signal.reason);
          });
        });
      }
      if (url.pathname.endsWith("/see-other")) return Response.redirect("http://127.0.0.1:9/", 303);
      console.log("printed by the function");
      return Response.json({
        pid: Deno.pid,
        path: url.pathname + url.search,
        body: await request.text(),
        env: Deno.env.toObject(),
      });
    },
  };`;

interface Echo {
  pid: number;
  path: string;
  body: string;
  env: Record<string, string>;
}

async function withFunctions(
  sources: Record<string, string>,
  instances: Record<string, number>,
  work: (functions: Functions, log: string[]) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const log: string[] = [];
  try {
    for (const [name, source] of Object.entries(sources)) {
      await Deno.mkdir(`${dir}/${name}`);
      await Deno.writeTextFile(`${dir}/${name}/index.ts`, source);
    }
    const env = { APP_URL: "http://127.0.0.1:1" };
    const folder = pathToFileURL(`${dir}/`);
    const functions = await startFunctions({ env, instances, folder, log: (line) => log.push(line) });
    try {
      await work(functions, log);
    } finally {
      await functions.stop();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function ask(functions: Functions, path: string, init?: RequestInit): Promise<Echo> {
  const response = await functions.fetch("echo", path, new Request("http://gateway/unused", init));
  assertEquals(response.status, 200);
  return await response.json();
}

Deno.test("functions run as processes that share nothing and see only what they are given", async (t) => {
  await withFunctions({ echo: ECHO, _shared: ECHO }, { echo: 2 }, async (functions, log) => {
    await t.step("a folder with an underscore is no function", () => {
      assertEquals(functions.names, ["echo"]);
    });

    await t.step("path, query and body arrive as the runtime gives them", async () => {
      const { path, body } = await ask(functions, "/echo/a%2Fb?q=a%2Bb&q=", { method: "POST", body: "{ }" });
      assertEquals([path, body], ["/echo/a%2Fb?q=a%2Bb&q=", "{ }"]);
    });

    await t.step(
      "the environment is what was given and what Deno needs, nothing of this program's",
      async () => {
        Deno.env.set("A_SECRET_OF_THIS_PROGRAM", "x");
        const { env } = await ask(functions, "/echo");
        assertEquals(env.APP_URL, "http://127.0.0.1:1");
        assertEquals(env.A_SECRET_OF_THIS_PROGRAM, undefined);
        assertEquals(Object.keys(env).filter((name) => /SECRET|TOKEN|KEY|PIPEDRIVE/.test(name)), []);
      },
    );

    await t.step("two instances take turns", async () => {
      const pids = [];
      for (let n = 0; n < 4; n++) pids.push((await ask(functions, "/echo")).pid);
      assertEquals(new Set(pids).size, 2);
      assertEquals(pids.slice(0, 2), pids.slice(2));
    });

    await t.step("what a function prints is logged under its name", () => {
      assert(log.includes("echo: printed by the function"));
    });

    await t.step("a redirect is passed on, not followed", async () => {
      const response = await functions.fetch("echo", "/echo/see-other", new Request("http://gateway/"));
      assertEquals([response.status, response.headers.get("location")], [303, "http://127.0.0.1:9/"]);
      await response.body?.cancel();
    });

    await t.step("a caller who hangs up has hung up on the function", async () => {
      const logged = async (line: string) => {
        while (!log.includes(line)) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      const gateway = serve(0, (request) => functions.fetch("echo", "/echo/wait", request));
      const caller = new AbortController();
      const asked = fetch(gateway.origin, { signal: caller.signal });
      await logged("echo: waiting");
      caller.abort();
      await assertRejects(() => asked, DOMException);
      await logged("echo: the caller has left");
      await gateway.stop();
    });

    await t.step("a function that dies answers WORKER_ERROR, and a new process takes its place", async () => {
      const crashed = await functions.fetch("echo", "/echo/crash", new Request("http://gateway/"));
      assertEquals([crashed.status, (await crashed.json()).code], [500, "WORKER_ERROR"]);
      // Both places again: the one that died waits for its successor.
      const pids = [await ask(functions, "/echo"), await ask(functions, "/echo")].map(({ pid }) => pid);
      assertEquals(new Set(pids).size, 2);
    });
  });
});

Deno.test("a function of the older kind, which calls Deno.serve, is served alike", async () => {
  const answer = `(request: Request) => new Response(new URL(request.url).pathname)`;
  const older = {
    handler: `Deno.serve(${answer});`,
    options: `Deno.serve({ port: 8000 }, ${answer});`,
    whole: `Deno.serve({ port: 8000, handler: ${answer} });`,
  };
  await withFunctions(older, {}, async (functions) => {
    for (const name of Object.keys(older)) {
      const response = await functions.fetch(name, `/${name}/x`, new Request("http://gateway/"));
      assertEquals(await response.text(), `/${name}/x`);
    }
  });
});

Deno.test("a function that does not start is named, with its own words", async () => {
  const broken = `throw new Error("no such thing as a setting");`;
  const error = await assertRejects(
    () => withFunctions({ echo: ECHO, broken }, {}, () => Promise.resolve()),
    Error,
    `The function "broken" did not start`,
  );
  assertStringIncludes(error.message, "no such thing as a setting");
});
