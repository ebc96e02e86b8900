import { createHash } from "node:crypto";
import { PUSH } from "./database.ts";
import { type Finding, ok, unchecked, wrong } from "./finding.ts";
import { NEW_KEYS } from "./keys.ts";
import type { Linked } from "./linked.ts";

const MIGRATIONS = new URL("../../supabase/migrations/", import.meta.url);
/** The longest that `docs/operating.md` has between two sweeps is an hour. */
const MOST_HOURS = 2;

type Check = (linked: Linked, url: string) => Promise<Finding>;

/** By what each is about. What the CLI refuses to tell is no fault of the project. */
const CHECKS: Readonly<Record<string, Check>> = {
  "publishable key": publishableKey,
  OAUTH_CALLBACK_URL: callbackUrl,
  migrations,
  schedule,
  advisors,
};

export const LINKED_ONLY = Object.keys(CHECKS);

export async function linkedFindings(linked: Linked, url: string): Promise<Finding[]> {
  return await Promise.all(
    Object.entries(CHECKS).map(([about, check]) =>
      check(linked, url).catch((error: Error) => unchecked(about, error.message))
    ),
  );
}

// deno-lint-ignore require-await
async function publishableKey({ api_keys }: Linked): Promise<Finding> {
  const about = "publishable key";
  if (api_keys.some(({ type }) => type === "publishable")) return ok(about, "there is one for the page");
  return wrong(about, "there is none", NEW_KEYS);
}

/** The CLI shows digests, and what the value must be is known. */
async function callbackUrl(linked: Linked, url: string): Promise<Finding> {
  const about = "OAUTH_CALLBACK_URL";
  const right = `${url}/functions/v1/oauth-callback`;
  const digest = (await linked.digests()).get(about);
  const todo = `npx supabase@3.1.0 secrets set ${about}=${right}`;
  if (digest === undefined) return wrong(about, "is not set", todo);
  if ([right, `${right}/`].map(sha256).includes(digest)) return ok(about, `is ${right}`);
  return wrong(about, `is not ${right}`, todo);
}

async function migrations(linked: Linked): Promise<Finding> {
  const about = "migrations";
  const rows = await linked.query("select version from supabase_migrations.schema_migrations");
  const applied = new Set(rows.map(({ version }) => String(version)));
  const ours = [...Deno.readDirSync(MIGRATIONS)].map(({ name }) => name).filter((name) =>
    /^\d{14}_/.test(name)
  );
  const waiting = ours.filter((name) => !applied.has(name.slice(0, 14))).sort();
  if (waiting.length === 0) return ok(about, `all ${ours.length} applied`);
  return wrong(about, `not applied: ${waiting.join(", ")}`, PUSH);
}

async function schedule(linked: Linked): Promise<Finding> {
  const about = "schedule";
  const [last] = await linked.query(LAST_SWEEP);
  const minutes = last === undefined ? Infinity : Number(last.minutes);
  if (minutes < MOST_HOURS * 60) return ok(about, `the last sweep began ${minutes} min ago`);
  const says = last === undefined
    ? "no sweep ever began"
    : `the last sweep began ${Math.round(minutes / 60)} hours ago`;
  const [job] = await linked.query(JOB).catch(() => []);
  if (!job) return wrong(about, `${says}, and nothing is scheduled`, "select oauth.schedule_sweep();");
  if (!job.active) return wrong(about, `${says}: its job is not active`, "select oauth.schedule_sweep();");
  if (job.status === "failed") return wrong(about, `${says}: its job fails`, String(job.return_message));
  const todo = "compare project_url and cron_secret_key in Vault with the project and its key named cron";
  return wrong(about, `${says}, though its job runs`, todo);
}

const LAST_SWEEP =
  `select round(extract(epoch from now() - began_at) / 60)::int as minutes from oauth.last_sweep`;
const JOB = `
  select j.active, d.status, d.return_message
    from cron.job j
    left join lateral (
      select r.status, r.return_message from cron.job_run_details r
       where r.jobid = j.jobid order by r.runid desc limit 1
    ) d on true
   where j.jobname = 'oauth-sweep'`;

/** Of ours; the project's own are its own. */
async function advisors(linked: Linked): Promise<Finding> {
  const about = "advisors";
  const advice = await linked.advisors();
  const ours = advice.filter(({ metadata }) =>
    metadata?.schema === "oauth" || metadata?.name?.startsWith("oauth_")
  );
  const [first] = ours;
  if (first) {
    const says = `${ours.length} about oauth, first ${first.name}: ${first.detail}`;
    return wrong(about, says, "npx supabase@3.1.0 db advisors --remote");
  }
  return ok(about, `nothing about oauth (${advice.length} about other things of the project)`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
