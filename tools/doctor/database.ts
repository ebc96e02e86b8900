import { type Finding, ok, unchecked, wrong } from "./finding.ts";
import { type Answer, ask, type Project } from "./project.ts";

export const PUSH = "npx supabase@3.1.0 db push --remote --include-all";
/** What the checks here are about. */
export const DATABASE = ["views, functions", "exposed schemas", "encryption keys"];
const VIEWS = ["oauth_connections", "oauth_events"];
const KEYS_IN_USE = "/rest/v1/rpc/oauth_keys_in_use?select=key_id,marked";

/** The database as REST shows it to the secret key. */
export async function databaseFindings(project: Project): Promise<Finding[]> {
  const secretly = { as_secret: true };
  const [schema, keys, ...views] = await Promise.all([
    ask(project, "/rest/v1/connections?limit=0", { ...secretly, headers: { "accept-profile": "oauth" } }),
    ask(project, KEYS_IN_USE, { ...secretly, body: { p_samples: 1 } }),
    ...VIEWS.map((view) => ask(project, `/rest/v1/${view}?select=id&limit=0`, secretly)),
  ]);
  return [answering([...views, keys]), exposed(schema), keysInUse(keys)];
}

function answering(answers: readonly Answer[]): Finding {
  const about = "views, functions";
  const names = [...VIEWS, "oauth_keys_in_use"];
  if (answers.some(({ status }) => status === 401)) return unchecked(about, "REST does not take the key");
  const missing = names.filter((_, place) => answers[place]?.status !== 200);
  if (missing.length === 0) return ok(about, `${names.join(", ")} answer`);
  return wrong(about, `${missing.join(", ")}: no answer`, PUSH);
}

function exposed({ status, code }: Answer): Finding {
  const about = "exposed schemas";
  if (status === 401) return unchecked(about, "REST does not take the key");
  if (code === "PGRST106") return ok(about, "oauth is not among them");
  return wrong(about, "oauth is among them", "Settings → API: take oauth out of the exposed schemas");
}

/** What the sweep could not open is marked. */
function keysInUse({ status, body }: Answer): Finding {
  const about = "encryption keys";
  if (status !== 200 || !Array.isArray(body)) return unchecked(about, "oauth_keys_in_use does not answer");
  const ids = (rows: { key_id: string }[]) => [...new Set(rows.map(({ key_id }) => key_id))].join(", ");
  const marked = body.filter((row) => row.marked);
  if (marked.length > 0) {
    const says = `tokens under key id ${ids(marked)} did not open at the last sweep`;
    return wrong(about, says, "put that key back into TOKEN_ENCRYPTION_KEYS");
  }
  return ok(
    about,
    body.length === 0
      ? "no token is stored yet"
      : `in use: ${ids(body)}; no sweep met one that it could not open`,
  );
}
