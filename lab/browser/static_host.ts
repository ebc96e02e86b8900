import { extname } from "node:path";
import { createPage, type PageConfig } from "../../local/stack/page.ts";
import { serve, type Served } from "../../local/stack/serve.ts";

/**
 * The page as any host of files serves it: a folder's index, no path that is not there, no header of its own.
 */
export class StaticHost {
  config: PageConfig = { api_url: "", publishable_key: "" };
  readonly #served: Served;

  constructor() {
    this.#served = serve(0, (request) => this.#answer(request));
  }

  get origin(): string {
    return this.#served.origin;
  }

  stop(): Promise<void> {
    return this.#served.stop();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, origin } = new URL(request.url);
    const folder = pathname.endsWith("/");
    if (!folder && extname(pathname) === "") return Response.redirect(`${origin}${pathname}/`, 301);
    const path = folder ? `${pathname}index.html` : pathname;
    const { status, headers, body } = await createPage({ config: this.config })(new Request(origin + path));
    return new Response(body, { status, headers: { "content-type": headers.get("content-type") ?? "" } });
  }
}
