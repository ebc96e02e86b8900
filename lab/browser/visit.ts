import axe from "axe-core";
import type { Browser, BrowserContext, Page, Response as Answer } from "playwright-core";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import type { StackOptions } from "../../local/stack/stack.ts";
import { type OwnStack, withStack } from "../../tests/support/own_stack.ts";
import { launch } from "./chromium.ts";

/** Pictures are made only when asked for, so that a run leaves the tree as it was: `… -- --update`. */
const UPDATE = Deno.args.includes("--update");
const IMAGES = new URL("../../docs/images/", import.meta.url);

const SCREENSHOTS = Deno.env.get("SCREENSHOTS");

/** How long a step may take on a slow machine that does other things besides. */
const PATIENCE_MS = 60_000;

export const DESKTOP = { width: 1280, height: 860 };
/** The narrowest that is promised. */
export const NARROW = { width: 375, height: 812 };
export const PHONE = { width: 390, height: 844 };

/** More than a page may ever move by itself (https://web.dev/articles/cls calls 0.1 good). */
const MOST_SHIFT = 0.05;
const WATCH_SHIFTS = `window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });`;

const findings = (options: string) =>
  `axe.run(${options}).then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.map(({ html, failureSummary }) => html + " " + failureSummary).join("; ")))`;
const FINDINGS = findings("");
/** Of axe's rules, the one that a colour scheme can break. */
const FINDINGS_OF_CONTRAST = findings('{ runOnly: ["color-contrast"] }');

/**
 * What no text that reaches a browser may hold: an access token, a refresh token, a seal. A user's own Supabase login
 * is not among them, and the authorization code passes through the browser by design (RFC 6749 §4.1.2).
 */
const SECRETS = [
  /v1u(:|%3A)/i,
  /\b\d+(:|%3A)\d+(:|%3A)[0-9a-f]{40}\b/i,
  /\bv1\.[\w-]+\.[\w-]{16}\.[\w-]{20,}/,
];

export const holdsSecret = (text: string) => SECRETS.some((secret) => secret.test(text));

/** One person's browser on the page: what crosses the network is kept, and every state can be examined. */
export class Visit {
  /** Everything sent and received, as text. */
  readonly traffic: string[] = [];
  readonly requests: string[] = [];
  /** What the page threw, and what its Content-Security-Policy stopped. */
  readonly complaints: string[] = [];
  readonly #bodies: Promise<void>[] = [];

  private constructor(readonly stack: OwnStack, readonly context: BrowserContext) {}

  static async begin(browser: Browser, stack: OwnStack, viewport = DESKTOP): Promise<Visit> {
    const context = await browser.newContext({ viewport, reducedMotion: "reduce", colorScheme: "light" });
    context.setDefaultTimeout(PATIENCE_MS);
    const visit = new Visit(stack, context);
    await context.addInitScript(WATCH_SHIFTS);
    context.on("response", (answer) => void visit.#bodies.push(visit.#keep(answer)));
    context.on("request", (request) => void visit.requests.push(request.url()));
    context.on("weberror", (error) => void visit.complaints.push(String(error.error())));
    context.on("console", (message) => {
      if (/content security policy|trusted/i.test(message.text())) visit.complaints.push(message.text());
    });
    return visit;
  }

  async #keep(answer: Answer): Promise<void> {
    const request = answer.request();
    const sent = [answer.url(), JSON.stringify(request.headers()), request.postData() ?? ""];
    // The body of a redirect, or of a page that was left, is gone; its headers are not.
    const body = await answer.text().catch(() => "");
    this.traffic.push([...sent, JSON.stringify(answer.headers()), body].join("\n"));
  }

  /** A page on the application, with nobody signed in unless this browser has been here. */
  async open(path = "/"): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.stack.app_url + path);
    return page;
  }

  /** The page of somebody new who has signed in. */
  async signUp(name: string): Promise<Page> {
    const page = await this.open();
    await fillIn(page, name, "Sign up");
    await page.getByRole("heading", { name: "Connections", exact: true }).waitFor();
    return page;
  }

  /** What the browser has sent to one path of the API. */
  sentTo(path: string): number {
    return this.requests.filter((url) => new URL(url).pathname === path).length;
  }

  /** axe-core finds nothing, nothing scrolls sideways, and in the dark everything is as readable as in the light. */
  async examine(page: Page, state: string): Promise<void> {
    await page.evaluate(axe.source);
    const light = await page.evaluate(FINDINGS);
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await page.evaluate(FINDINGS_OF_CONTRAST);
    await page.emulateMedia({ colorScheme: "light" });
    const wider = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    assertEquals({ state, light, dark, wider }, { state, light: [], dark: [], wider: false });
  }

  /** The same at both ends of what is promised. */
  async everyWidth(page: Page, state: string): Promise<void> {
    for (const viewport of [NARROW, DESKTOP]) {
      await page.setViewportSize(viewport);
      await this.examine(page, `${state}, ${viewport.width} px`);
    }
    await this.show(page, state);
  }

  /** Pictures at both widths, for whoever names a folder for them: `SCREENSHOTS=seen`. */
  async show(page: Page, state: string): Promise<void> {
    if (!SCREENSHOTS) return;
    for (const viewport of [NARROW, DESKTOP]) {
      await page.setViewportSize(viewport);
      const path = `${SCREENSHOTS}/${state.replaceAll(/\W+/g, "-")}-${viewport.width}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }

  /** A picture for the README, in light and in dark, without what is said in passing. */
  async picture(page: Page, name: string, { fullPage = false } = {}): Promise<void> {
    if (!UPDATE) return;
    await page.evaluate("document.activeElement?.blur(); document.querySelector('.toast')?.remove()");
    await page.mouse.move(0, 0);
    await page.evaluate("scrollTo(0, 0)");
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      const path = new URL(`${name}${colorScheme === "dark" ? "-dark" : ""}.png`, IMAGES).pathname;
      await page.screenshot({ path, fullPage, animations: "disabled", caret: "hide" });
    }
  }

  async assertStill(page: Page): Promise<void> {
    const shift = Number(await page.evaluate("window.shift"));
    assert(shift < MOST_SHIFT, `the page moved by ${shift}`);
  }

  /** Nothing that came or went, or that the browser keeps, holds a token; nobody else's server was asked. */
  async assertNothingLeaked(page: Page, alsoOurs: readonly string[] = []): Promise<void> {
    await Promise.all(this.#bodies);
    assert(this.traffic.length > 10, "traffic was seen");
    const kept = await page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])");
    const found = [...this.traffic, String(kept)].filter(holdsSecret).map((text) => text.split("\n")[0]);
    assertEquals(found, []);
    const { app_url, api_url, provider_url } = this.stack;
    const ours = [app_url, api_url, provider_url, ...alsoOurs];
    assertEquals(this.requests.filter((url) => !ours.includes(new URL(url).origin)), []);
    assertEquals(this.complaints, []);
  }
}

/** Sends the form with this person's credentials. */
export async function fillIn(page: Page, name: string, button: "Sign in" | "Sign up"): Promise<void> {
  await page.getByLabel("E-mail", { exact: true }).fill(`${name}@example.com`);
  await page.getByLabel("Password", { exact: true }).fill("a-long-password");
  await page.getByRole("button", { name: button, exact: true }).click();
}

/** Tells a story's next step. */
export type Step = (name: string, act: () => Promise<void>) => Promise<void>;

/** A stack and a browser that belong to one story. The browser goes first, so that nobody asks a stack that stops. */
export async function withBrowser(
  t: Deno.TestContext,
  options: StackOptions,
  tell: (stack: OwnStack, browser: Browser, step: Step) => Promise<void>,
): Promise<void> {
  await withStack(options, async (stack) => {
    const browser = await launch();
    try {
      await tell(stack, browser, stepsOf(t, browser));
    } finally {
      await browser.close();
    }
  });
}

/** After a step that failed, which says what the pages showed then, the story ends: the others would fail of it. */
function stepsOf(t: Deno.TestContext, browser: Browser): Step {
  return async (name, act) => {
    let failed = "";
    await t.step(name, async () => {
      try {
        await act();
      } catch (error) {
        failed = name;
        const pages = browser.contexts().flatMap((context) => context.pages());
        const shown = await Promise.all(pages.map((page) => page.locator("body").innerText()));
        throw new Error(`${error}\n\n${shown.join("\n────\n")}`, { cause: error });
      }
    });
    if (failed) throw new Error(`the story ends at: ${failed}`);
  };
}
