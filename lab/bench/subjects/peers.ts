import { CLIENT } from "../field/field.ts";
import { moveExpiry } from "../field/connections.ts";
import type { Count } from "../figures.ts";
import { startChild } from "../../chaos/field/child.ts";
import { type Bench, only, type Subject, withFunctions } from "../subject.ts";
import type { Peer, Told } from "../peers/peers_process.ts";

const TOKEN_MS = 150;
const PEERS: Readonly<Record<Peer, string>> = {
  sdk: "Pipedrive's Node SDK, one client for all callers",
  simple_oauth2: "`simple-oauth2`, tokens in the database",
  replaced: "the replaced algorithm: read, check, refresh, write",
};

export const peers: Subject = {
  name: "peers",
  title: "Beside others",
  method:
    `Callers at once, in one process, on an expired token, by the same provider: it takes a refresh token once, and answers ` +
    `after ${TOKEN_MS} ms. A caller is answered if it got its persons.`,
  on_each_runtime: false,
  async measure(bench) {
    const { field, pick } = bench;
    const callers = pick({ tiny: 20, quick: 50, full: 50 });
    await field.provider({ api_ms: 0, token_ms: TOKEN_MS });
    const counts: Count[] = [...await ours(bench, callers)];
    for (const [peer, name] of Object.entries(PEERS) as [Peer, string][]) {
      counts.push(...await theirs(bench, peer, name, callers));
    }
    await field.provider({ token_ms: 0 });
    return { figures: [], counts };
  },
};

async function ours(bench: Bench, callers: number): Promise<Count[]> {
  const { field } = bench;
  const connection = only(await field.connections(1));
  return await withFunctions(bench, ["search-persons"], async (processes) => {
    const target = field.search(only(processes).origin, connection);
    await field.ask({ targets: [target], callers: 1, count: 1 });
    await moveExpiry(field, [connection], { ends_in_ms: -1_000, due_in_ms: -61_000 });
    await field.provider();
    const { statuses } = await field.askAny({ targets: [target], callers, count: callers });
    return await counted(bench, "this project", callers, statuses[200] ?? 0);
  });
}

async function theirs(bench: Bench, peer: Peer, name: string, callers: number): Promise<Count[]> {
  const { field } = bench;
  const { sql, url: database_url } = field.database;
  const tokens = only(await field.grants(1));
  await sql`create table if not exists public.bench_tokens (access_token text, refresh_token text, expires_at timestamptz)`;
  await sql`truncate public.bench_tokens`;
  await sql`insert into public.bench_tokens values (${tokens.access_token}, ${tokens.refresh_token}, now())`;
  await field.provider();
  const told: Told = { peer, callers, database_url, provider_origin: field.provider_origin, client: CLIENT };
  const child = await startChild<{ answered: number }>(
    new URL("../peers/peers_process.ts", import.meta.url),
    told,
  );
  await child.stop();
  return await counted(bench, name, callers, child.ready.answered);
}

async function counted({ field }: Bench, name: string, callers: number, answered: number): Promise<Count[]> {
  const { token_requests } = await field.provider();
  return [
    { what: `token requests, ${name}`, of: `${callers} callers`, count: token_requests },
    { what: `answered, ${name}`, of: `${callers} callers`, count: answered },
  ];
}
