/** `deno task doctor`: what is wrong with a deployment, and the one thing to do about each. See docs/operating.md. */
import { parseArgs } from "node:util";
import { isLoopback } from "../../supabase/functions/_shared/oauth/http.ts";
import { type SupabaseCli, supabaseCli } from "../supabase_cli.ts";
import { DATABASE, databaseFindings } from "./database.ts";
import { type Finding, harmless, lineOf, needsLink, unchecked, wrong } from "./finding.ts";
import { functionFindings } from "./functions.ts";
import { malformed, secretKeyFinding, signingKeysFinding } from "./keys.ts";
import { type Linked, linkedProject } from "./linked.ts";
import { LINKED_ONLY, linkedFindings } from "./linked_findings.ts";
import type { Project } from "./project.ts";

const SECRET_KEY = "SUPABASE_SECRET_KEY";
const USAGE = `deno task doctor --url URL | --linked | --project-ref REF [--app-url URL]

  --url URL          the project's: https://<project>.supabase.co
  --linked           the project that this folder is linked to, through the Supabase CLI; tells more
  --project-ref REF  the same of a project that is not linked here
  --app-url URL      your application's, to be compared with APP_URL

${SECRET_KEY} holds a secret key (sb_secret_…; not the one named "cron"), to be read without an echo:

  read -rs ${SECRET_KEY}; export ${SECRET_KEY}

Linked, it may be left out: the CLI is asked for one. Ends with 0 if nothing is wrong.`;

export interface Options {
  readonly project: Project;
  readonly linked?: Linked;
  readonly app_url?: string;
}

/** Every check, in the order in which a fault explains those after it. */
export async function examine({ project, linked, app_url }: Options): Promise<Finding[]> {
  let signing: Finding;
  try {
    signing = await signingKeysFinding(project);
  } catch (error) {
    const says = `${project.url} does not answer: ${error instanceof Error ? error.message : error}`;
    return [wrong("project", says, "compare --url with the project's address")];
  }
  const refused = malformed(project);
  const found = await Promise.all([
    refused ? [refused] : unlessBroken("secret key", secretKeyFinding(project).then((one) => [one])),
    unlessBroken("functions", functionFindings(project, app_url)),
    refused
      ? DATABASE.map((about) => unchecked(about, "it takes a secret key"))
      : unlessBroken("REST", databaseFindings(project)),
    linked ? linkedFindings(linked, project.url) : LINKED_ONLY.map(needsLink),
  ]);
  return [signing, ...found.flat()];
}

/** What hangs up, or does not answer in time, is a fault too. */
function unlessBroken(about: string, work: Promise<Finding[]>): Promise<Finding[]> {
  return work.catch((
    error: Error,
  ) => [wrong(about, error.message, "ask again; then read the project's logs")]);
}

/** @returns the exit code: 1 if something is wrong, 2 if nothing could be asked */
async function main(args: string[]): Promise<number> {
  const text = { type: "string" } as const;
  const options = { url: text, linked: { type: "boolean" }, "project-ref": text, "app-url": text } as const;
  const { values } = parseArgs({ args, options });
  const { url, "project-ref": project_ref, "app-url": app_url } = values;
  const key = Deno.env.get(SECRET_KEY)?.trim() || undefined;
  const is_linked = values.linked || project_ref !== undefined;
  if (!is_linked && (url === undefined || key === undefined)) throw new Error(USAGE);
  const linked = is_linked
    ? await linkedProject(ownCli(), { project_ref, reveal: key === undefined })
    : undefined;
  const project = {
    url: originOf(url ?? `https://${linked?.project_ref}.supabase.co`),
    secret_key: key ?? revealed(linked),
  };
  const findings = await examine({ project, linked, app_url: app_url && originOf(app_url) });
  for (const finding of findings) console.log(lineOf(finding));
  return findings.some(({ state }) => state === "wrong") ? 1 : 0;
}

/** With the login of whoever asks, and without the key, which is none of its business. */
function ownCli(): SupabaseCli {
  const { [SECRET_KEY]: _, NO_PROXY: __, ...env } = Deno.env.toObject();
  return supabaseCli(Deno.cwd(), env.HOME ?? "/", env);
}

function revealed(linked: Linked | undefined): string {
  const key = linked?.api_keys.find(({ type, name }) => type === "secret" && name !== "cron");
  return key?.api_key ?? "";
}

/** The key goes there: https, or this machine. */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url))) return url.origin;
  throw new Error(`"${text}" is no address with https, or http for this machine`);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(error instanceof Error ? error.message.split("\n").map(harmless).join("\n") : error);
    Deno.exit(2);
  }
}
