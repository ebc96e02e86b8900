/** A body of which only half ever comes, on a real connection. */
import { readJson } from "../../supabase/functions/_shared/http/input.ts";
import { json } from "../../supabase/functions/_shared/http/respond.ts";
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { SECRET_KEYS, TRUSTED } from "./callers.ts";
import { logging } from "./log_lines.ts";

/** Sends the headers and half a body, and reads what is answered: its status, its code, and after how long it came. */
async function sendHalf(headers: readonly string[], framing: string, half: string) {
  const echo = serve(
    "echo",
    ["user", "secret:*"],
    TRUSTED,
    async ({ request }) => json(await readJson(request)),
  );
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, echo);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  try {
    const head = [
      "POST /functions/v1/echo HTTP/1.1",
      "host: x",
      "content-type: application/json",
      ...headers,
    ];
    const began = performance.now();
    await connection.write(new TextEncoder().encode([...head, framing, "", half].join("\r\n")));
    const answer = new Uint8Array(4096);
    const text = new TextDecoder().decode(answer.subarray(0, await connection.read(answer) ?? 0));
    const ms = performance.now() - began;
    return { status: text.slice(9, 12), code: JSON.parse(text.split("\r\n\r\n")[1] ?? "").code, ms };
  } finally {
    connection.close();
    await server.shutdown();
  }
}

const known = [`apikey: ${SECRET_KEYS.default}`];
const halves: [string, string][] = [["content-length: 100", '{"a'], [
  "transfer-encoding: chunked",
  '3\r\n{"a\r\n',
]];
for (const [framing, half] of halves) {
  Deno.test(`half a body (${framing}) is refused at once if nobody says who sends it`, async () => {
    const { result: { status, code, ms } } = await logging(() => sendHalf([], framing, half));
    assertEquals([status, code], ["401", "MISSING_CREDENTIALS"]);
    assert(ms < 4_000, `${ms} ms`);
  });

  Deno.test(`half a body (${framing}) is waited for five seconds if it is known who sends it`, async () => {
    const { result: { status, code, ms } } = await logging(() => sendHalf(known, framing, half));
    assertEquals([status, code], ["400", "INVALID_REQUEST"]);
    assert(ms > 4_900, `${ms} ms`);
  });
}
