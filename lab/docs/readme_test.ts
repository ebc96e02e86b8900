/** The README is the front door: what it states is held against what it describes. */
import { type PublicCode, PublicError } from "../../supabase/functions/_shared/errors.ts";
import { asPublicError } from "../../supabase/functions/_shared/http/errors.ts";
import { readSettings } from "../../supabase/functions/_shared/env.ts";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { KEYS } from "../../tests/support/make.ts";
import { read, tableRows } from "../support/pages.ts";

const readme = await unaligned("README.md");
const reference = await unaligned("docs/reference.md");

/** Without the blanks that align a table. */
async function unaligned(page: string): Promise<string> {
  return (await read(page)).replaceAll(/ +\|/g, " |");
}

Deno.test("README.md names the Deno that is pinned, and no other", async () => {
  const pinned = /^deno (\S+)$/m.exec(await read(".tool-versions"))?.[1];
  const named = new Set(Array.from(readme.matchAll(/npx -y deno@(\S+)/g), ([, version]) => version));
  assertEquals(named, new Set([pinned]));
});

Deno.test("docs/reference.md lists every code with its status", () => {
  const ours: PublicCode[] = [
    "INVALID_REQUEST",
    "MISSING_CREDENTIALS",
    "INVALID_CREDENTIALS",
    "METHOD_NOT_ALLOWED",
    "UNKNOWN_PROVIDER",
  ];
  const tokens: PublicCode[] = [
    "AUTHORIZATION_DENIED",
    "AUTHORIZATION_REQUEST_INVALID",
    "CONFIGURATION_INVALID",
    "CONNECTION_AMBIGUOUS",
    "CONNECTION_NOT_FOUND",
    "PROVIDER_FORBIDDEN",
    "PROVIDER_RATE_LIMITED",
    "PROVIDER_RESPONSE_INVALID",
    "PROVIDER_UNAVAILABLE",
    "REAUTHORIZATION_REQUIRED",
    "REFRESH_IN_PROGRESS",
    "STORAGE_UNAVAILABLE",
  ];
  const errors = [
    ...ours.map((code) => new PublicError(code, "")),
    ...tokens.map((code) => new PublicError(code, "")),
    new Error("unforeseen"),
  ];
  for (const error of errors) {
    const { code, status } = asPublicError(error);
    const row = reference.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${code}\``));
    assert(row?.includes(`| ${status} |`), `${code} with ${status}`);
  }
});

Deno.test("docs/reference.md and .env.example name every setting that is read", async () => {
  const example = await read(".env.example");
  const asked = new Set<string>();
  const set: Record<string, string> = {
    TOKEN_ENCRYPTION_KEYS: KEYS,
    APP_URL: "https://app.example",
    OAUTH_CALLBACK_URL: "https://project.supabase.co/functions/v1/oauth-callback",
    PIPEDRIVE_CLIENT_ID: "id",
    PIPEDRIVE_CLIENT_SECRET: "secret",
  };
  // Of every provider the settings are the same, under its own name.
  await readSettings((name) => (asked.add(name), set[name]), [pipedrive]);
  for (const own of ["SCOPES", "HOSTS"]) asked.delete(`PIPEDRIVE_${own}`);
  assert(asked.size >= 7);
  for (const name of asked) {
    assert(reference.includes(`\`${name}\``), `${name} in docs/reference.md`);
    assert(new RegExp(`^#?${name}=`, "m").test(example), `${name} in .env.example`);
  }
});

Deno.test("README.md shows the timeline that the demo prints", async () => {
  const demo = await read("local/demo.ts");
  const [, shown = ""] = readme.split("<!-- demo -->");
  const steps = Array.from(shown.matchAll(/^ {2}\d {2}(.*?) {2,}/gm), ([, title = ""]) => title);
  assert(steps.length > 5);
  for (const step of steps) assert(demo.includes(step.replace("50", "${CALLERS}")), step);
});

Deno.test("README.md repeats what docs/reliability.md measured", async () => {
  const measured = await read("docs/reliability.md");
  const [, numbers = ""] = /## The numbers\n([^]*?)\n## /.exec(readme) ?? [];
  const figures = Array.from(numbers.matchAll(/^\|.*$/gm)).flatMap(([row]) =>
    Array.from(row.matchAll(/`(\d[^`]+)`|`(p50[^`]+)`/g), ([, one, other]) => one ?? other ?? "")
  );
  assert(figures.length >= 8, "the table is found");
  for (const figure of figures) assert(measured.includes(figure), figure);
});

Deno.test("README.md says of a call's cost what docs/performance.md measured", async () => {
  const rows = tableRows(await read("docs/performance.md"), "The figures to reach");
  const [, paragraph = ""] = /^(A warm search costs[\s\S]*?)\n\n/m.exec(readme) ?? [];
  const quoted = Array.from(paragraph.matchAll(/`([+−\d][^`]*)`/g), ([, figure]) => figure);
  const measured = ["a warm search over the direct call, 40 ms", "the same, at its slowest"];
  const share = "share of an empty `withSupabase`, 20 callers";
  assertEquals(
    quoted,
    [...measured, share].map((figure) => rows.find(({ Figure }) => Figure === figure)?.Measured),
  );
});

Deno.test("README.md is read in two minutes", () => {
  assert(readme.split("\n").length < 250);
});
