/** `deno run -A tools/openapi/main.ts`: writes docs/openapi.json anew. */
import { projectVersion } from "../version.ts";
import { openApi } from "./document.ts";

export const DOCUMENT = new URL("../../docs/openapi.json", import.meta.url);

/** The file's text as it must be. */
export async function documentText(): Promise<string> {
  return JSON.stringify(openApi(await projectVersion()), null, 2) + "\n";
}

if (import.meta.main) await Deno.writeTextFile(DOCUMENT, await documentText());
