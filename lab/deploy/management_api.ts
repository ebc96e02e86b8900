import { createHash } from "node:crypto";
import { serve } from "../../local/stack/serve.ts";

/** One function as the CLI uploaded it. */
export interface Upload {
  readonly slug: string;
  readonly metadata: Metadata;
  /** By name, relative to the project's root. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The part `metadata` of an upload (https://supabase.com/docs/reference/api/v1-deploy-a-function). */
export interface Metadata {
  readonly name: string;
  readonly entrypoint_path: string;
  /** Empty where the configuration names none: nothing but a look at it tells. */
  readonly import_map_path?: string | null;
  readonly static_patterns?: readonly string[];
  readonly verify_jwt?: boolean;
}

export interface Secret {
  readonly name: string;
  readonly value: string;
}

export interface ManagementApi {
  readonly origin: string;
  /** What was uploaded since `forget`, by slug. */
  readonly uploads: ReadonlyMap<string, Upload>;
  /** The functions as they were put in force, all at once, after the last upload. */
  readonly inForce: readonly Record<string, unknown>[];
  readonly secrets: readonly Secret[];
  /** What it answers about the project; a test may set it. */
  readonly facts: Facts;
  /** Requests that the real API would have refused, or that this one does not know. */
  readonly refused: readonly string[];
  forget(): void;
  stop(): Promise<void>;
}

export interface Facts {
  api_keys: readonly Record<string, unknown>[];
  /** As the advisors have them. */
  lints: readonly Record<string, unknown>[];
  /** What the database answers. */
  query: (sql: string) => Promise<readonly unknown[]>;
}

/** What a personal access token looks like; the CLI refuses any other form. */
export const ACCESS_TOKEN = `sbp_${"0123456789abcdef".repeat(3).slice(0, 40)}`;
/** A project ref: twenty lower-case letters. */
export const PROJECT_REF = "abcdefghijklmnopqrst";

/**
 * The part of https://api.supabase.com that a deploy talks to, on this machine. It keeps what it is sent, and refuses
 * callers without the token, other projects and paths that it does not know.
 */
export function serveManagementApi(): ManagementApi {
  const facts: Facts = { api_keys: API_KEYS, lints: [], query: () => Promise.resolve([]) };
  const state: State = { facts, uploads: new Map(), inForce: [], secrets: [], refused: [] };
  const served = serve(0, async (request) => {
    const response = await answer(request, state);
    const { pathname, search } = new URL(request.url);
    if (response.status >= 400) state.refused.push(`${request.method} ${pathname}${search}`);
    return response;
  });
  return {
    origin: served.origin,
    facts,
    get uploads() {
      return state.uploads;
    },
    get inForce() {
      return state.inForce;
    },
    get secrets() {
      return state.secrets;
    },
    get refused() {
      return state.refused;
    },
    forget: () => Object.assign(state, { uploads: new Map(), inForce: [], secrets: [], refused: [] }),
    stop: () => served.stop(),
  };
}

interface State {
  readonly facts: Facts;
  uploads: Map<string, Upload>;
  inForce: Record<string, unknown>[];
  secrets: Secret[];
  refused: string[];
}

async function answer(request: Request, state: State): Promise<Response> {
  if (request.headers.get("authorization") !== `Bearer ${ACCESS_TOKEN}`) return refusal(401, "Unauthorized");
  const { pathname, searchParams } = new URL(request.url);
  const project = `/v1/projects/${PROJECT_REF}`;
  switch (`${request.method} ${pathname}`) {
    case `GET ${project}`:
      return Response.json(PROJECT);
    case `GET ${project}/api-keys`:
      return Response.json(state.facts.api_keys);
    case `GET ${project}/functions`:
      return Response.json(state.inForce);
    case `POST ${project}/functions/deploy`:
      return await upload(request, searchParams, state);
    case `PUT ${project}/functions`:
      state.inForce = putInForce(await request.json());
      return Response.json({ functions: state.inForce });
    case `GET ${project}/secrets`:
      return Response.json(state.secrets.map(({ name, value }) => ({ name, value: sha256(value) })));
    case `POST ${project}/secrets`:
      state.secrets = await request.json();
      return Response.json({}, { status: 201 });
    case `GET ${project}/advisors/security`:
      return Response.json({ lints: state.facts.lints });
    case `GET ${project}/advisors/performance`:
      return Response.json({ lints: [] });
    case `POST ${project}/database/query`:
      return await query(request, state.facts);
    default:
      return refusal(404, "Not Found");
  }
}

async function upload(request: Request, query: URLSearchParams, { uploads }: State): Promise<Response> {
  const slug = query.get("slug");
  if (slug === null || !/^[A-Za-z][\w-]*$/.test(slug)) return refusal(400, "slug: invalid");
  const form = await request.formData();
  const metadata: Metadata = JSON.parse(String(form.get("metadata")));
  const files = new Map<string, Uint8Array>();
  for (const part of form.getAll("file")) {
    if (!(part instanceof File)) return refusal(400, "file: not a file");
    files.set(part.name, new Uint8Array(await part.arrayBuffer()));
  }
  if (!files.has(metadata.entrypoint_path)) return refusal(400, "Entrypoint path does not exist");
  if (metadata.import_map_path && !files.has(metadata.import_map_path)) {
    return refusal(400, "Import map path does not exist");
  }
  uploads.set(slug, { slug, metadata, files });
  return Response.json({
    id: crypto.randomUUID(),
    slug,
    name: metadata.name,
    status: "ACTIVE",
    version: 1,
    created_at: Date.parse(PROJECT.created_at),
    updated_at: Date.parse(PROJECT.created_at),
    verify_jwt: metadata.verify_jwt ?? true,
    import_map: Boolean(metadata.import_map_path),
    entrypoint_path: metadata.entrypoint_path,
    import_map_path: metadata.import_map_path,
  }, { status: 201 });
}

/** Refuses what could write: nothing here has to. */
async function query(request: Request, facts: Facts): Promise<Response> {
  const { query, read_only } = await request.json();
  if (read_only !== true) return refusal(403, "not read-only");
  try {
    return Response.json(await facts.query(query), { status: 201 });
  } catch (error) {
    return refusal(400, `Failed to run sql query: ${error}`);
  }
}

/** The request names what is to be in force, and not when that was. */
function putInForce(functions: Record<string, unknown>[]): Record<string, unknown>[] {
  return functions.map((one) => ({ ...one, updated_at: Date.parse(PROJECT.created_at) }));
}

function refusal(status: number, message: string): Response {
  return Response.json({ message }, { status });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const API_KEYS = ["publishable", "secret"].map((type) => ({
  id: crypto.randomUUID(),
  type,
  name: "default",
  api_key: `sb_${type}_of_nobody`,
}));

const PROJECT = {
  id: PROJECT_REF,
  ref: PROJECT_REF,
  organization_id: "organization",
  organization_slug: "organization",
  name: "A project",
  region: "eu-central-1",
  created_at: "2026-11-01T00:00:00Z",
  status: "ACTIVE_HEALTHY",
  database: {
    host: `db.${PROJECT_REF}.supabase.co`,
    version: "17.6.1.054",
    postgres_engine: "17",
    release_channel: "ga",
  },
};
