import { type Finding, ok, unchecked, wrong } from "./finding.ts";
import { ask, type Project } from "./project.ts";

const NEW_KEY = "create a secret key (Settings → API Keys) and pass that one";
/** Until then neither the page nor the functions have one. */
export const NEW_KEYS = "create the new API keys (Settings → API Keys)";
/** No connection has it: ids are of version 5. */
const NOBODY = "00000000-0000-4000-8000-000000000000";

/** What is no secret key of the new kind is sent nowhere. */
export function malformed({ secret_key }: Project): Finding | null {
  if (secret_key === "") return wrong("secret key", "there is none", NEW_KEY);
  if (/^eyJ/.test(secret_key)) {
    return wrong("secret key", "is a legacy JWT key, which functions refuse", NEW_KEY);
  }
  if (/^sb_secret_[\w-]+$/.test(secret_key)) return null;
  return wrong("secret key", "does not look like sb_secret_…", NEW_KEY);
}

/** What REST and the functions make of the secret key. */
export async function secretKeyFinding(project: Project): Promise<Finding> {
  const about = "secret key";
  const rest = await ask(project, "/rest/v1/", { method: "HEAD", as_secret: true });
  if (rest.status === 401) return wrong(about, "REST does not know it", NEW_KEY);
  const refresh = await ask(project, "/functions/v1/refresh-token", {
    as_secret: true,
    body: { connection_id: NOBODY },
  });
  if (!refresh.ours) return unchecked(about, "REST takes it; refresh-token does not answer");
  const { status, code, message } = refresh;
  if (code === "NO_KEYS_CONFIGURED") return wrong(about, "the functions know no secret key", NEW_KEYS);
  if (status === 401) return wrong(about, `the functions refuse it: ${message}`, NEW_KEY);
  // Which keys are let in is asked before what is set.
  if (status === 404 || code === "CONFIGURATION_INVALID") {
    return ok(about, "is of the new kind; REST and the functions take it");
  }
  return unchecked(about, `REST takes it; refresh-token answers ${status} ${code}`);
}

/** A user's token must be verifiable with a published key: the platform's library takes no HS256. */
export async function signingKeysFinding(project: Project): Promise<Finding> {
  const about = "JWT signing keys";
  const { status, body } = await ask(project, "/auth/v1/.well-known/jwks.json");
  const { keys } = Object(body);
  if (status !== 200 || !Array.isArray(keys)) {
    return wrong(
      about,
      `Auth answers ${status} instead of its keys`,
      "compare --url with the project's address",
    );
  }
  const algorithms = keys.filter(({ kty }) => kty !== "oct").map(({ alg, kty }) => String(alg ?? kty));
  if (algorithms.length > 0) {
    return ok(about, `${algorithms.join(", ")} published; it must be the current key, not the standby one`);
  }
  const todo = "Settings → JWT Keys: migrate to signing keys, then rotate to the asymmetric one";
  return wrong(about, "none is asymmetric: tokens signed with HS256 are refused", todo);
}
