import { join } from "node:path";
import { base64url } from "jose";
import { nativeFolder, nativeFolderFor } from "./binaries.ts";
import { awayFolder, type Home, openHome } from "./cluster.ts";
import { installPgtap } from "./pgtap.ts";
import {
  eachLine,
  exists,
  freePort,
  guard,
  lockFolder,
  readIfThere,
  removeQuietly,
  run,
  signalIfAlive,
  within,
  writeWhole,
} from "./process.ts";
import { stopStaleServer } from "./stale_server.ts";

export interface PostgresOptions {
  /** The folder that keeps the data between runs. Without it they are temporary, and a crash may lose them. */
  dir?: string;
  /** Without it, or with 0, any free port. */
  port?: number;
  /** Takes the server's log, line by line. */
  log?: (line: string) => void;
}

export interface Postgres {
  /** Of the superuser `postgres`, in the database `postgres`. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
/** How often another port is tried, when the free one was taken before the server could. */
const PORT_ATTEMPTS = 5;
/** How many of the server's last lines tell why it did not start. */
const LAST_LINES = 15;

/**
 * Starts PostgreSQL 17 on 127.0.0.1, and creates its data folder if there is none.
 *
 * Works for an ordinary user and for root. Throws with the server's own words when it does not start, and when
 * another running server keeps its data in `dir`.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  await installPgtap();
  const release = options.dir === undefined ? () => {} : await lockFolder(options.dir);
  if (release === null) {
    throw new Error(`The database in "${options.dir}" is in use by another program that runs`);
  }
  let home: Home | undefined;
  try {
    home = await openHome(options.dir);
    const native = home.uid === null ? await nativeFolder() : await nativeFolderFor(home.uid, home.folder);
    const password = await readPassword(options.dir ?? home.folder);
    await stopStaleServer(join(home.folder, "data"));
    if (!await exists(join(home.folder, "data", "PG_VERSION"))) await initialise(native, home, password);
    const server = await startOnFreePort(native, home, options);
    return {
      url: `postgresql://postgres:${password}@127.0.0.1:${server.port}/postgres`,
      port: server.port,
      stop: once(async () => {
        await server.stop();
        await home?.leave();
        release();
      }),
    };
  } catch (error) {
    await home?.leave();
    release();
    throw error;
  }
}

/** Drops the data kept in `dir`. Throws when a server that runs is using them. */
export async function removePostgres(dir: string): Promise<void> {
  if (!await exists(dir)) return;
  const release = await lockFolder(dir);
  if (release === null) throw new Error(`The database in "${dir}" is in use by another program that runs`);
  const away = await awayFolder(dir);
  for (const folder of [dir, away ?? dir]) await stopStaleServer(join(folder, "data"));
  if (away !== null) await removeQuietly(away);
  await removeQuietly(dir);
  release();
}

async function readPassword(folder: string): Promise<string> {
  const path = join(folder, "password");
  const kept = await readIfThere(path);
  if (kept !== null) return kept;
  const password = base64url.encode(crypto.getRandomValues(new Uint8Array(24)));
  writeWhole(path, password);
  return password;
}

async function initialise(native: string, home: Home, password: string): Promise<void> {
  const passwordFile = join(home.folder, "initial_password");
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
  if (home.uid !== null) await Deno.chown(passwordFile, home.uid, home.uid);
  const args = ["--pgdata", join(home.folder, "data"), "--username", "postgres", "--pwfile", passwordFile];
  args.push("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", "--no-locale");
  args.push("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8");
  try {
    await run(join(native, "bin", "initdb"), args, as(home));
  } finally {
    await removeQuietly(passwordFile);
  }
}

interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

async function startOnFreePort(native: string, home: Home, options: PostgresOptions): Promise<Server> {
  for (let attempt = 1;; attempt++) {
    const port = options.port || await freePort();
    if (port === null) throw new Error("There is no free port on 127.0.0.1");
    const outcome = await startServer(native, home, port, options.log ?? (() => {}));
    if (typeof outcome !== "string") return outcome;
    const another = !options.port && attempt < PORT_ATTEMPTS && outcome.includes("Address already in use");
    if (!another) throw new Error(`PostgreSQL did not start on port ${port}: ${outcome}`);
  }
}

/** A running server, or the reason why there is none. */
async function startServer(
  native: string,
  home: Home,
  port: number,
  log: (line: string) => void,
): Promise<Server | string> {
  const child = new Deno.Command(join(native, "bin", "postgres"), {
    ...as(home),
    args: ["-D", join(home.folder, "data"), "-p", String(port), ...settings(home)],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const guarded = guard({
    pid: child.pid,
    signal: "INT",
    remove: home.temporary ? home.folder : undefined,
  });
  const ready = Promise.withResolvers<boolean>();
  const last: string[] = [];
  const reading = eachLine(child.stderr, (line) => {
    log(line);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
    if (line.includes("database system is ready to accept connections")) ready.resolve(true);
  });
  const ended = Promise.all([child.status, reading]).then(() => ready.resolve(false));
  const stop = async (signal: Deno.Signal) => {
    signalIfAlive(child, signal);
    await within(ended, STOP_TIMEOUT_MS, () => "PostgreSQL did not stop").catch(async (error) => {
      signalIfAlive(child, "SIGKILL");
      await ended;
      log(String(error));
    });
    await guarded.release();
  };
  const started = await within(ready.promise, START_TIMEOUT_MS, () => "no answer in time").catch((error) => {
    last.push(String(error));
    return false;
  });
  if (started) return { port, stop: () => stop(home.temporary ? "SIGQUIT" : "SIGINT") };
  await stop("SIGQUIT");
  return last.join("\n") || "it said nothing";
}

function settings(home: Home): string[] {
  const values = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "log_min_error_statement=panic",
  ];
  if (home.temporary) values.push("fsync=off", "synchronous_commit=off", "full_page_writes=off");
  return values.flatMap((value) => ["-c", value]);
}

function as(home: Home): Deno.CommandOptions {
  const env = { LC_ALL: "C", TZ: "UTC" };
  return home.uid === null
    ? { env, cwd: home.folder }
    : { env, cwd: home.folder, uid: home.uid, gid: home.uid };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => done ??= action();
}
