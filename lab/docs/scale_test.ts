/** docs/scale.md is arithmetic: from the weights that it names, every other number of it follows. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { page, type Weights, written } from "../scale/page.ts";
import { read, tableRows } from "../support/pages.ts";

const text = await read("docs/scale.md");

Deno.test("docs/scale.md says what follows from what it has weighed", () => {
  const rows = tableRows(text, "What it stands on");
  const weight = (figure: string) => {
    const value = rows.find(({ Figure }) => Figure === figure)?.Value;
    assert(value !== undefined, figure);
    return Number(value.replaceAll(",", "").split(" ")[0]);
  };
  const weights: Weights = {
    connection: weight("a connection, its indexes included"),
    token_set: weight("a token set"),
    event: weight("an event"),
    wal_bytes: weight("WAL of a refresh, without full pages"),
    refresh_ms: weight("a refresh in one session, without HTTP"),
    peek_ms: weight("a look at the door in one session, without HTTP"),
  };
  assertEquals(page(weights), text);
  assert(page({ ...weights, event: weights.event * 2 }) !== text);
});

Deno.test("docs/scale.md takes a search's processor time, and no more of the sweep, from docs/performance.md", async () => {
  const performance = await read("docs/performance.md");
  const itself = (heading: string, figure: string) =>
    tableRows(performance, heading).find(({ Figure }) => Figure === figure)?.["Itself and control, p50"] ??
      "";
  const cpu = itself(
    "Processor time, and memory under load, Deno 2.1.4",
    "a warm search with `connection_id`",
  );
  const sweep = itself("The sweep, Deno 2.9.6", "refreshes a second, 10,000 due");
  const rows = tableRows(text, "What it stands on");
  const told = (figure: string) => parseFloat(rows.find(({ Figure }) => Figure === figure)?.Value ?? "");
  assertEquals(told("processor time of a warm search"), parseFloat(cpu) / 1000);
  assert(parseFloat(sweep) >= parseInt(rows.find(({ Figure }) => Figure === "a sweep")?.Value ?? ""), sweep);
});

Deno.test("a number is written with three digits that count", () => {
  assertEquals([0.0123, 1.2345, 12.345, 1234, 123_456_789].map(written), [
    "0.012",
    "1.23",
    "12.3",
    "1,230",
    "123,000,000",
  ]);
});
