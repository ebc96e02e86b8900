import type postgres from "postgres";

const FOLDER = new URL("../../supabase/tests/", import.meta.url);
/** The one meta-command of psql that the files use: includes a file that lies beside the one it is in. */
const INCLUDE = /^\\ir (\S+)$/gm;

/** The pgTAP files, in the order in which `supabase test db` runs them. */
export async function pgtapFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(FOLDER)) {
    if (isFile && name.endsWith(".sql")) names.push(name);
  }
  return names.sort();
}

/** A pgTAP file as psql reads it, with what it includes. */
export async function readPgtapFile(name: string): Promise<string> {
  return await included(await Deno.readTextFile(new URL(name, FOLDER)));
}

async function included(text: string): Promise<string> {
  const names = new Set(Array.from(text.matchAll(INCLUDE), ([, name]) => name ?? ""));
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name, await Deno.readTextFile(new URL(name, FOLDER)));
  return text.replace(INCLUDE, (_, name) => texts.get(name) ?? "");
}

/**
 * Runs the text of a pgTAP file, and returns what is wrong: assertions that do not hold, or fewer than planned, or none.
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
