import { join } from "node:path";
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { openHome } from "../../local/stack/cluster.ts";
import { applyMigrations } from "../../local/stack/migrations.ts";
import { eachLine, exists, freePort, guard, removeQuietly, run, within } from "../../local/stack/process.ts";

/** Where `get_pg_cron.ts` unpacks the extension, so that nothing is installed on the machine. */
export const UNPACKED = new URL("../../.local/pg_cron/", import.meta.url).pathname;
/** Migrations need views with the rights of their reader: PostgreSQL 15. Newest first. */
const VERSIONS = ["17", "16", "15"];
const START_MS = 60_000;

export const server = (version: string) => `/usr/lib/postgresql/${version}/bin/postgres`;
const control = (root: string, version: string) =>
  join(root, `usr/share/postgresql/${version}/extension/pg_cron.control`);

/** The newest PostgreSQL that Debian's packages have put on this machine. */
export async function installedVersion(): Promise<string | null> {
  for (const version of VERSIONS) if (await exists(server(version))) return version;
  return null;
}

/** Where pg_cron for it is: `/` if it is installed, or unpacked beside it; null: nowhere. */
export async function pgCronFor(version: string): Promise<string | null> {
  for (const root of ["/", UNPACKED]) if (await exists(control(root, version))) return root;
  return null;
}

export interface CronServer {
  readonly sql: postgres.Sql;
  /** All that the server has logged since its last start, of every statement it ran. */
  log(): string;
  /** Stops the server, starts it again, and waits until it logs this. */
  restartUntil(logged: string): Promise<void>;
  stop(): Promise<void>;
}

/** A server with the real pg_cron, what a Supabase project has, and the migrations. */
export async function startCronServer(version: string, root: string): Promise<CronServer> {
  const home = await openHome(undefined);
  const as = {
    cwd: home.folder,
    env: { LC_ALL: "C" },
    ...(home.uid !== null && { uid: home.uid, gid: home.uid }),
  };
  const port = await freePort();
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  const data = join(home.folder, "data");
  let running: Running | undefined;
  let sql: postgres.Sql | undefined;
  const start = async (ready: string) => {
    running = await startServer(bin, data, Number(port), as, ready);
    sql = postgres(url, { max: 1, onnotice: () => {} });
  };
  const end = async () => {
    await sql?.end();
    await running?.stop();
  };
  const stop = async () => {
    await end();
    await home.leave();
  };
  const bin = await assemble(version, root, join(home.folder, "postgresql"));
  try {
    await run(
      join(bin, "initdb"),
      ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
      as,
    );
    await start("ready to accept connections");
    await prepareDatabase(url);
    await applyMigrations(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get sql() {
      if (!sql) throw new Error("the server does not run");
      return sql;
    },
    log: () => running?.lines.join("\n") ?? "",
    restartUntil: async (logged) => {
      await end();
      await start(logged);
    },
    stop,
  };
}

/**
 * Debian's PostgreSQL with pg_cron among its extensions. The server looks for them beside itself, so a folder of
 * links around a copy of the program is a server of its own.
 */
async function assemble(version: string, root: string, into: string): Promise<string> {
  const [lib, share] = [`usr/lib/postgresql/${version}`, `usr/share/postgresql/${version}`];
  const bin = join(into, lib, "bin");
  await Deno.mkdir(bin, { recursive: true });
  await Deno.mkdir(join(into, "usr/share/postgresql"), { recursive: true });
  await run("cp", ["-p", ...["postgres", "initdb"].map((name) => `/${lib}/bin/${name}`), bin]);
  await run("cp", ["-rs", `/${lib}/lib`, join(into, lib)]);
  await run("cp", ["-rs", `/${share}`, join(into, "usr/share/postgresql")]);
  if (root === "/") return bin;
  // Copies: the server's user may be unable to reach where they lie.
  await run("cp", [join(root, lib, "lib/pg_cron.so"), join(into, lib, "lib")]);
  const extension = join(root, share, "extension");
  await run("cp", ["-r", `${extension}/.`, join(into, share, "extension")]);
  return bin;
}

interface Running {
  readonly lines: string[];
  stop(): Promise<void>;
}

async function startServer(
  bin: string,
  data: string,
  port: number,
  as: Deno.CommandOptions,
  ready: string,
): Promise<Running> {
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "timezone=UTC",
    "shared_preload_libraries=pg_cron",
    "cron.database_name=postgres",
    "cron.use_background_workers=on",
    "log_statement=all",
    "log_parameter_max_length=0",
  ];
  await removeQuietly(join(data, "postmaster.pid"));
  const child = new Deno.Command(join(bin, "postgres"), {
    ...as,
    args: ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const guarded = guard({ pid: child.pid, signal: "INT" });
  const lines: string[] = [];
  const found = Promise.withResolvers<boolean>();
  const reading = eachLine(child.stderr, (line) => {
    lines.push(line);
    if (line.includes(ready)) found.resolve(true);
  }).then(() => found.resolve(false));
  const stop = async () => {
    child.kill("SIGINT");
    await Promise.all([child.status, reading]);
    await guarded.release();
  };
  const words = () => `PostgreSQL did not log "${ready}": ${lines.slice(-15).join("\n")}`;
  try {
    if (await within(found.promise, START_MS, words)) return { lines, stop };
  } catch (error) {
    await stop();
    throw error;
  }
  await guarded.release();
  throw new Error(words());
}
