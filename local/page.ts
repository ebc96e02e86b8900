import { extname } from "node:path";

const DEMO = new URL("../demo/", import.meta.url);
const SUPABASE_JS = new URL("../node_modules/@supabase/supabase-js/dist/umd/supabase.js", import.meta.url);

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export interface PageOptions {
  /** What a page may know: where the API is, and the key that is no secret. */
  config: { api_url: string; publishable_key: string };
}

/** Serves the folder `demo/`, `/config.json`, and supabase-js from `node_modules`: nothing from anybody's server. */
export function createPage({ config }: PageOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(405, "Method not allowed\n", config);
    }
    if (pathname === "/config.json") return answer(200, JSON.stringify(config), config, "application/json");
    const file = pathname === "/supabase.js" ? SUPABASE_JS : demoFile(pathname);
    const content = file === null ? null : await read(file);
    if (file === null || content === null) return answer(404, "Not found\n", config);
    return answer(200, content, config, TYPES[extname(file.pathname)]);
  };
}

/** `return_to` may name any path: one without a file's ending is the page. */
function demoFile(pathname: string): URL | null {
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
  { api_url }: PageOptions["config"],
  type = "text/plain; charset=utf-8",
): Response {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${api_url}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  const headers = {
    "content-type": type,
    "content-security-policy": policy.join("; "),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
  return new Response(body, { status, headers });
}
