import type { SupabaseCli } from "../supabase_cli.ts";

/** What the Supabase CLI knows of a project beside what the project shows. */
export interface Linked {
  readonly project_ref: string;
  readonly api_keys: readonly ApiKey[];
  /** SHA-256 of each secret, in hexadecimal. */
  digests(): Promise<ReadonlyMap<string, string>>;
  advisors(): Promise<Advice[]>;
  /** In a transaction that can only read. */
  query(sql: string): Promise<Record<string, unknown>[]>;
}

export interface ApiKey {
  readonly name: string;
  readonly type: string;
  readonly api_key: string;
}

export interface Advice {
  readonly name: string;
  readonly level: string;
  readonly detail: string;
  readonly metadata?: { readonly schema?: string; readonly name?: string } | null;
}

/**
 * Asks the CLI which project it is.
 *
 * @param project_ref of another project than the folder's
 * @param reveal asks for the secret keys too
 */
export async function linkedProject(
  supabase: SupabaseCli,
  { project_ref, reveal }: { project_ref?: string; reveal: boolean },
): Promise<Linked> {
  const remote = project_ref === undefined ? "--remote" : `--remote=${project_ref}`;
  const read = async (...args: string[]) => {
    const { stdout } = await supabase(...args, remote, "--output-format", "json").catch(inItsWords);
    return JSON.parse(stdout);
  };
  const { keys, target } = await read("projects", "api-keys", ...(reveal ? ["--reveal"] : []));
  const advise = ["db", "advisors", "--level", "warn", "--fail-on", "none"];
  return {
    project_ref: target.project_ref,
    api_keys: keys,
    async digests() {
      const { secrets } = await read("secrets", "list");
      return new Map(secrets.map(({ name, value }: Record<string, string>) => [name, value]));
    },
    advisors: async () => (await read(...advise)).results,
    query: (sql) => read("db", "query", "--read-only", sql),
  };
}

/** The CLI's errors are JSON, too. */
function inItsWords(error: Error): never {
  const [, message] = /"message":("(?:[^"\\]|\\.)*")/.exec(error.message) ?? [];
  throw new Error(message ? JSON.parse(message) : error.message);
}
