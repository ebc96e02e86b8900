/** The project's version: the newest one that CHANGELOG.md heads. It is written nowhere else by hand. */
export async function projectVersion(): Promise<string> {
  const changelog = await Deno.readTextFile(new URL("../CHANGELOG.md", import.meta.url));
  const version = /^## \[(\d+\.\d+\.\d+)\]/m.exec(changelog)?.[1];
  if (version === undefined) throw new Error("CHANGELOG.md heads no version: ## [x.y.z] - date");
  return version;
}
