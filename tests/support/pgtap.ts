import type postgres from "postgres";

const FOLDER = new URL("../../supabase/tests/", import.meta.url);

/** The pgTAP files, in the order in which `supabase test db` runs them. */
export async function pgtapFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(FOLDER)) {
    if (isFile && name.endsWith(".sql")) names.push(name);
  }
  return names.sort();
}

export function readPgtapFile(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, FOLDER));
}

/**
 * Runs a pgTAP file, and returns what is wrong: assertions that do not hold, or fewer than planned, or none.
 *
 * @param sql a connection that nobody else uses, as `supabase test db` gives each file one
 */
export async function complaints(sql: postgres.Sql, text: string): Promise<string[]> {
  const answers: unknown = await sql.unsafe(text).simple();
  const lines = texts(answers).flatMap((answer) => answer.split("\n"));
  const failed = lines.filter((line) => /^not ok|^# (Looks like|Failed| +have:| +want:)/.test(line));
  return lines.some((line) => /^(not )?ok\b/.test(line)) ? failed : [...failed, "no assertion was made"];
}

/** One result is an array of rows; of several statements there is an array of results. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}
