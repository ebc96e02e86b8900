/** The repository's root. */
export const ROOT = new URL("../../", import.meta.url);

/** A file's text, by its path from the root. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** The code blocks of one language on a page of docs, in their order. */
export async function codeBlocks(page: string, language: string): Promise<string[]> {
  const blocks = (await read(`docs/${page}`)).matchAll(
    new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"),
  );
  return Array.from(blocks, ([, code = ""]) => code);
}

/** The rows of the tables below a heading, by their columns' names. */
export function tableRows(page: string, heading: string): Record<string, string>[] {
  const [, section = ""] = page.split(new RegExp(`^#+ ${heading}$`, "m"));
  const lines = section.split(/^#+ /m)[0]?.split("\n").filter((line) => line.startsWith("|")) ?? [];
  const [head = [], , ...rows] = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return rows.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ""])));
}
