const ROOT = new URL("../../", import.meta.url);
/** What programs and their users leave in a checkout; a fresh clone has none of it. */
const LEFT_BEHIND =
  /^(\.git|\.local|\.temp|\.branches|node_modules|coverage|oauth-tokens\.json|\.env(\.(?!example$).*)?)$/;

/** Every file of the project as cloned, as a path from its root. */
export async function projectFiles(folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (LEFT_BEHIND.test(name)) continue;
    files.push(...isDirectory ? await projectFiles(`${folder}${name}/`) : [folder + name]);
  }
  return files.sort();
}
