/** `deno task registry`: writes registry/oauth-tokens.json, which `npx shadcn add` puts into another project. */
import { registryItem } from "./item.ts";

const FOLDER = new URL("../../registry/", import.meta.url);

const item = await registryItem();
await Deno.mkdir(FOLDER, { recursive: true });
await Deno.writeTextFile(new URL("oauth-tokens.json", FOLDER), `${JSON.stringify(item, null, 2)}\n`);
console.log(`registry/oauth-tokens.json: ${item.files.length} files of version ${item.meta.version}`);
