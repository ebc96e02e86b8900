/**
 * A script without a user, for cron or a queue: it calls with a secret key and names the connection.
 * Runs on Deno, on Bun, and on Node 22.18 or newer: `node search.ts jane@example.com`.
 */
import process from "node:process";

const { SUPABASE_URL, SUPABASE_SECRET_KEY = "", CONNECTION_ID } = process.env;
const MOST_TRIES = 5;

async function search(term: string) {
  for (let tried = 1;; tried += 1) {
    const response = await fetch(`${SUPABASE_URL}/functions/v1/search-persons`, {
      method: "POST",
      headers: { apikey: SUPABASE_SECRET_KEY, "content-type": "application/json" },
      body: JSON.stringify({ connection_id: CONNECTION_ID, term }),
      signal: AbortSignal.timeout(30_000),
    });
    const answer = await response.json();
    if (response.ok) return answer.data.items;
    // Only what says when to come back is worth another try.
    if (answer.retry_after === undefined || tried >= MOST_TRIES) {
      throw new Error(`${answer.code}: ${answer.message} (request ${response.headers.get("x-request-id")})`);
    }
    await new Promise((resolve) => setTimeout(resolve, answer.retry_after * 1000));
  }
}

for (const { item } of await search(process.argv[2] ?? "")) {
  console.log([item.id, item.name, ...(item.emails ?? [])].join("\t"));
}
