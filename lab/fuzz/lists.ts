import type { Definitions, Policy } from "../../supabase/functions/proxy/policy.ts";

/** Where calls go: a base with a path of its own, and one by a name. */
export const BASES: Readonly<Record<string, string>> = {
  "": "https://api.acme.example/v2",
  files: "https://files.acme.example",
};

/** Lines of every form, beside each other so that one reading of a path can be another's. */
export const POLICY: Policy = {
  users: {
    acme: [
      "GET /deals/*",
      "GET /deals/purge changes",
      "PATCH /deals/*",
      "POST /deals",
      "GET /deals/*/products",
      "GET /items/*/",
      "GET /tree/**",
      "GET files:/v1/*/content",
      "HEAD files:/v1/*",
    ],
  },
  secret_keys: { acme: ["GET /deals/*", "DELETE /deals/*/products/*", "PUT files:/v1/*/content"] },
};

const CHANGING_GETS = ["/tree/*/rebuild", "files:/v1/touch/content"];

export const DEFINITIONS: Definitions = new Map([
  ["acme", { api: { bases: { files: BASES.files }, changing_gets: CHANGING_GETS } }],
]);

/** One line as the oracle has it. */
export interface Listed {
  /** `anybody`: it lets nobody through, and says what changes something. */
  readonly caller: "user" | "secret" | "anybody";
  readonly method: string;
  readonly base: string;
  readonly path: string;
  /** Of a whole path, without a slash at its end. */
  readonly pattern: string;
  readonly changes: boolean;
}

const LINE = /^([A-Z]+) (?:(\w+):)?(\S+)( changes)?$/;

/** Reads a line in a way of its own, apart from the code that is judged. */
function listed(caller: Listed["caller"], line: string): Listed {
  const [, method = "", base = "", path = "", mark] = LINE.exec(line) ?? [];
  const segments = path.split("/").filter((segment) => segment !== "").map((segment) =>
    segment === "**" ? "[^/]+(?:/[^/]+)*" : segment === "*" ? "[^/]+" : segment
  );
  return { caller, method, base, path, pattern: `^/${segments.join("/")}$`, changes: mark !== undefined };
}

export const LISTED: readonly Listed[] = [
  ...(POLICY.users.acme ?? []).map((line) => listed("user", line)),
  ...(POLICY.secret_keys.acme ?? []).map((line) => listed("secret", line)),
  ...CHANGING_GETS.map((path) => listed("anybody", `GET ${path} changes`)),
];
