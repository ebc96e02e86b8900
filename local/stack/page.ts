import { extname } from "node:path";
import { parseArgs } from "node:util";
import { answerFile } from "./page_files.ts";
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
    for (const file of filesFor(pathname)) {
      const found = await answerFile(request, file, headersFor(config, TYPES[extname(file.pathname)]));
      if (found) return found;
    }
    return answer(404, "Not found\n", config);
  };
}

/** What may be meant, the likeliest first: the folder's page, as on any static host, and under any path the page. */
function filesFor(pathname: string): URL[] {
  if (pathname === "/supabase.js") return [SUPABASE_JS];
  if (pathname === GUIDE) return [new URL(`..${GUIDE}`, DEMO)];
  const folder = extname(pathname) === "";
  const file = new URL(folder ? `.${pathname.replace(/\/*$/, "/")}index.html` : `.${pathname}`, DEMO);
  const inside = file.href.startsWith(DEMO.href) && !/%2f|%5c/i.test(pathname);
  return [...(inside ? [file] : []), ...(folder ? [new URL("index.html", DEMO)] : [])];
}

function answer(status: number, body: BodyInit, config: PageConfig, type = TYPES[".md"]): Response {
  return new Response(body, {
    status,
    headers: { ...headersFor(config, type), "cache-control": "no-store" },
  });
}

function headersFor(config: PageConfig, type = TYPES[".md"] ?? ""): Record<string, string> {
  return {
    "content-type": type,
    "content-security-policy": policy(config),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
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
    // Whoever opens /connect/pipedrive is sent on: no page elsewhere does that behind anybody's back.
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
