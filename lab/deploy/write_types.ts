/** Writes `database.types.ts` from the migrations. Run after every change of what `public` offers. */
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { withClone } from "./clone.ts";
import { generateTypes, TYPES_FILE } from "./types.ts";

const server = await startPostgres();
try {
  await prepareDatabase(server.url);
  await withClone(async ({ cli }) => {
    const url = `${server.url}?sslmode=disable`;
    await cli.must("db", "push", `--remote=${url}`, "--yes");
    await Deno.writeTextFile(TYPES_FILE, await generateTypes(cli, url));
  });
} finally {
  await server.stop();
}
