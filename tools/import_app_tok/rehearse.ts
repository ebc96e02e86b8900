/**
 * Prints an old table of one row, whose refresh token the sandbox of the running local stack has just issued, and on
 * the second stream who may become its owner; see docs/from-n8n.md.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { controlOf } from "../../local/sandbox/control_http.ts";

const [folder = fileURLToPath(new URL("../../.local/", import.meta.url))] = Deno.args;
const running = await Deno.readTextFile(join(folder, "stack.json")).catch(() => {
  throw new Error(`No stack is running on "${folder}": deno task dev`);
});
const { provider_url, database_url } = JSON.parse(running);

const { refresh_token } = await controlOf(provider_url).grant();
console.log(JSON.stringify([{ AppId: "1", Platform: "Pipedrive", ref_token: refresh_token }], null, 2));

const sql = postgres(database_url, { max: 1 });
const users = await sql`select id, email from auth.users order by created_at desc limit 5`;
await sql.end();
if (users.length === 0) console.error("Nobody has signed up: open the page and sign in");
for (const { id, email } of users) console.error(`--user ${id}   ${email}`);
console.error(`--to ${database_url}`);
