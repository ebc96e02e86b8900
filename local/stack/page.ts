import { extname } from "node:path";
import { parseArgs } from "node:util";
import { serve } from "./serve.ts";

const DEMO = new URL("../../demo/", import.meta.url);
/** The one page of the documentation that the page points to. */
const GUIDE = "/docs/call-the-api.md";
const SUPABASE_JS = new URL("../../node_modules/@supabase/supabase-js/dist/umd/supabase.js", import.meta.url);

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".md": "text/plain; charset=utf-8",
};

/** What a page may know: where the API is, and the key that is no secret. */
export interface PageConfig {
  api_url: string;
  publishable_key: string;
  /** Where the sandbox is moved from; only on the local stack, and only then does the page show its panel. */
  sandbox_url?: string;
}

export interface PageOptions {
  /** Looked up at every request: a stack learns where its parts are one after the other. */
  config: PageConfig;
  /** Answers what begins with `/local/`; absent anywhere but on the local stack. */
  tools?: (request: Request) => Promise<Response>;
}

/** Serves the folder `demo/`, `/config.json`, and supabase-js from `node_modules`: nothing from anybody's server. */
export function createPage(options: PageOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const { config, tools } = options;
    const { pathname } = new URL(request.url);
    if (tools && pathname.startsWith("/local/")) return await tools(request);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(405, "Method not allowed\n", config);
    }
    if (pathname === "/config.json") return answer(200, JSON.stringify(config), config, TYPES[".json"]);
    const file = pathname === "/supabase.js" ? SUPABASE_JS : demoFile(pathname);
    const content = file === null ? null : await read(file);
    if (file === null || content === null) return answer(404, "Not found\n", config);
    return answer(200, content, config, TYPES[extname(file.pathname)]);
  };
}

/** `return_to` may name any path: one without a file's ending is the page. */
function demoFile(pathname: string): URL | null {
  if (pathname === GUIDE) return new URL(`..${GUIDE}`, DEMO);
  if (extname(pathname) === "") return new URL("index.html", DEMO);
  const file = new URL(`.${pathname}`, DEMO);
  return file.href.startsWith(DEMO.href) && !/%2f|%5c/i.test(pathname) ? file : null;
}

async function read(file: URL): Promise<BodyInit | null> {
  try {
    return await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return null;
    throw error;
  }
}

function answer(
  status: number,
  body: BodyInit,
  config: PageConfig,
  type = "text/plain; charset=utf-8",
): Response {
  const headers = {
    "content-type": type,
    "content-security-policy": policy(config),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
  return new Response(body, { status, headers });
}

/** No inline script or style, no markup made from text, nobody asked but the API and, locally, the sandbox. */
function policy({ api_url, sandbox_url }: PageConfig): string {
  const asked = ["'self'", api_url, api_url.replace(/^http/, "ws"), ...(sandbox_url ? [sandbox_url] : [])];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${asked.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/** Serves the page for a project that runs elsewhere: the one that `demo/config.json` names. */
if (import.meta.main) {
  // Whose browser build is served: a fresh clone has no node_modules yet.
  await import("@supabase/supabase-js");
  const { values } = parseArgs({ args: Deno.args, options: { port: { type: "string", default: "3000" } } });
  const config: PageConfig = JSON.parse(await Deno.readTextFile(new URL("config.json", DEMO)));
  const { origin } = serve(Number(values.port), createPage({ config }));
  console.log(
    `The page is at ${origin}, its project at ${config.api_url}. APP_URL there must name ${origin}.`,
  );
}
