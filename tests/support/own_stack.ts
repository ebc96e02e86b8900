import postgres from "postgres";
import type { SandboxControl } from "../../local/sandbox/mod.ts";
import { type Stack, type StackOptions, startStack } from "../../local/stack/stack.ts";

export interface OwnStack extends Stack {
  readonly control: SandboxControl;
  /** As the database's owner: what a test may see and no API role may. */
  readonly sql: postgres.Sql;
}

/** A stack that belongs to one test file, with its sandbox. It ends with the tests, whatever they did. */
export async function withStack(
  options: StackOptions,
  tests: (stack: OwnStack) => Promise<void>,
): Promise<void> {
  const stack = await startStack(options);
  const sql = postgres(stack.database_url, { max: 2 });
  try {
    if (!stack.control) throw new Error("the tests need the sandbox");
    await tests({ ...stack, control: stack.control, sql });
  } finally {
    await sql.end();
    await stack.stop();
  }
}

/** The access token of a connection is over, by the clock of the database and by the provider's. */
export async function expire({ sql, control }: OwnStack, connection_id: string): Promise<void> {
  await control.advance_clock(3_600_000);
  await sql`update oauth.connections
    set access_expires_at = now() - interval '1 second', refresh_after = now() - interval '5 minutes'
    where id = ${connection_id}`;
}

/** Past the age up to which a token is not refreshed by force. */
export async function mature({ database_url }: Pick<Stack, "database_url">): Promise<void> {
  const sql = postgres(database_url, { max: 1 });
  await sql`update oauth.connections set refreshed_at = refreshed_at - interval '10 seconds'`;
  await sql.end();
}
