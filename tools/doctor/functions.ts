import { providers } from "../../supabase/functions/_shared/providers/mod.ts";
import { type Finding, ok, unchecked, wrong } from "./finding.ts";
import { NEW_KEYS } from "./keys.ts";
import { type Answer, ask, type Project } from "./project.ts";

const NAMES = ["oauth-callback", "proxy", "refresh-token", "search-persons"];
const SET = "npx supabase@3.1.0 secrets set";
const DEPLOY = "npx supabase@3.1.0 functions deploy";

/** The functions, and what they are set to, from what they answer to anybody. */
export async function functionFindings(project: Project, app_url?: string): Promise<Finding[]> {
  const answers = await Promise.all(NAMES.map((name) => ask(project, `/functions/v1/${name}`)));
  const deployed = deployment(answers);
  const [listed] = answers;
  if (!listed?.ours) {
    const why = "oauth-callback does not answer";
    return [deployed, ...["settings", "providers", "APP_URL"].map((about) => unchecked(about, why))];
  }
  const set = settings(listed);
  if (set.state === "wrong") {
    const why = "the functions answer nothing before their settings are right";
    return [deployed, set, unchecked("providers", why), unchecked("APP_URL", why)];
  }
  const offered = namesOf(listed.body);
  const redirects = await Promise.all(
    [...new Set([...offered, ...providers.keys()])].map((name) =>
      // A redirect without a code is answered before anything is looked up.
      ask(project, `/functions/v1/oauth-callback/${name}?state=doctor`)
    ),
  );
  return [deployed, set, offer(offered, redirects), application(redirects, app_url)];
}

/** By their own refusals, which differ from those of the gateway before them. */
function deployment(answers: readonly Answer[]): Finding {
  const faults = answers.flatMap(({ status, ours, code }, place) => {
    if (ours) return [];
    const name = NAMES[place];
    if (status === 404) return [[`${name} is not deployed`, DEPLOY]];
    if (status === 401) {
      const section =
        `give config.toml [functions.${name}] with verify_jwt = false and its import map, then ${DEPLOY}`;
      return [[`${name}: the gateway asks its callers for a JWT`, section]];
    }
    const says = code === "BOOT_ERROR" ? "does not start" : `answers ${status} ${code}`.trim();
    return [[`${name} ${says}`, `read its log (most often config.toml names no import map for it)`]];
  });
  const [first] = faults;
  if (!first) return ok("functions", `${NAMES.join(", ")} answer`);
  return wrong("functions", faults.map(([says]) => says).join("; "), first[1] ?? DEPLOY);
}

function settings({ status, code, message }: Answer): Finding {
  if (status === 200) return ok("settings", "all that must be set is set, and well-formed");
  const platform = /SUPABASE_|secret key/i.test(message);
  const todo = platform ? NEW_KEYS : `${SET} --env-file .env`;
  return wrong("settings", message || `oauth-callback answers ${status} ${code}`, todo);
}

function namesOf(body: unknown): string[] {
  const { providers: listed } = Object(body);
  return Array.isArray(listed) ? listed.map(({ name }) => String(name)) : [];
}

/** A provider that is set by half says so itself; one of which nothing is set is unknown. */
function offer(offered: readonly string[], redirects: readonly Answer[]): Finding {
  const half = redirects.filter(({ code }) => code === "CONFIGURATION_INVALID").map(({ message }) => message);
  if (half.length > 0) return wrong("providers", half.join("; "), `${SET} --env-file .env`);
  if (offered.length > 0) return ok("providers", `${offered.join(", ")} offered, none set by half`);
  return wrong("providers", "none is offered", `${SET} PIPEDRIVE_CLIENT_ID=… PIPEDRIVE_CLIENT_SECRET=…`);
}

/** Whoever comes back from a provider without a code is sent to the application. */
function application(redirects: readonly Answer[], app_url?: string): Finding {
  const location = redirects.find(({ status, ours }) => ours && status === 303)?.location ?? "";
  if (!URL.canParse(location)) return unchecked("APP_URL", "only an offered provider's redirect tells");
  const { origin } = new URL(location);
  if (app_url === undefined) return ok("APP_URL", `browsers are sent to ${origin} (--app-url compares)`);
  if (new URL(app_url).origin === origin) return ok("APP_URL", `browsers are sent to ${origin}`);
  return wrong("APP_URL", `browsers are sent to ${origin}, not to ${app_url}`, `${SET} APP_URL=${app_url}`);
}
