/** `deno task doctor` against the local stack: nothing wrong with a healthy one, and each fault in its line. */
import type postgres from "postgres";
import { serve } from "../../local/stack/serve.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { type OwnStack, withStack } from "../../tests/support/own_stack.ts";
import { type Finding, lineOf } from "../../tools/doctor/finding.ts";
import { examine } from "../../tools/doctor/main.ts";
import type { Project } from "../../tools/doctor/project.ts";
import { type Clone, withClone } from "../deploy/clone.ts";
import { PROJECT_REF } from "../deploy/management_api.ts";
import { standIn } from "../schedule/stand_ins.ts";

const MAIN = new URL("../../tools/doctor/main.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const LEGACY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl";

const projectOf = ({ api_url, secret_key }: OwnStack): Project => ({ url: api_url, secret_key });

/** The lines of what is wrong. */
function wrongOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ state }) => state === "wrong").map(lineOf);
}

/** What is wrong, where one path of the project answers otherwise. */
async function wrongWith(stack: OwnStack, path: string, answer: () => Response): Promise<string[]> {
  const front = serve(0, (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === path) return answer();
    return fetch(stack.api_url + pathname + search, { ...request, redirect: "manual" });
  });
  try {
    return wrongOf(await examine({ project: { ...projectOf(stack), url: front.origin } }));
  } finally {
    await front.stop();
  }
}

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The command itself. */
async function doctor(args: string[], env: Record<string, string>, cwd?: string): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, MAIN, ...args],
    env,
    cwd,
    stdin: "null",
  }).output();
  const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  for (const secret of Object.values(env)) {
    assert(!/^(sb_secret|sbp)_/.test(secret) || !printed.includes(secret));
  }
  return { code, lines: printed.trimEnd().split("\n") };
}
