/**
 * Gets the real pg_cron for this machine's PostgreSQL from Debian's packages and unpacks it into `.local/pg_cron`:
 * nothing is installed, no rights are needed. Where that cannot be, it says so; the stand-in covers the schedule then.
 */
import { join } from "node:path";
import { removeQuietly, run } from "../../local/stack/process.ts";
import { installedVersion, pgCronFor, UNPACKED } from "./cron_server.ts";

const version = await installedVersion();
if (version === null) {
  console.log("pg_cron: there is no PostgreSQL of Debian's on this machine (apt-get install postgresql)");
} else if (await pgCronFor(version) !== null) {
  console.log(`pg_cron: here, for PostgreSQL ${version}`);
} else {
  await unpack(`postgresql-${version}-cron`).then(
    (file) => console.log(`pg_cron: unpacked ${file}`),
    (error: Error) => console.log(`pg_cron: cannot be had here (${error.message.split("\n")[0]})`),
  );
}

async function unpack(name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "pg-cron-" });
  try {
    await run("apt-get", ["download", name], { cwd: folder });
    const [file] = Array.from(Deno.readDirSync(folder), (entry) => entry.name).filter((file) =>
      file.endsWith(".deb")
    );
    if (file === undefined) throw new Error(`apt-get brought no ${name}`);
    await Deno.mkdir(UNPACKED, { recursive: true });
    await run("dpkg-deb", ["-x", join(folder, file), UNPACKED]);
    return file;
  } finally {
    await removeQuietly(folder);
  }
}
