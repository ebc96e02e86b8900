import { Latest } from "../../supabase/functions/_shared/latest.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("Latest keeps what was used last, and no more than it may", () => {
  const latest = new Latest<number>(2);
  latest.set("a", 1);
  latest.set("b", 2);
  assertEquals(latest.get("a"), 1);
  latest.set("c", 3);
  assertEquals(["a", "b", "c"].map((key) => latest.get(key)), [1, undefined, 3]);
  latest.set("a", 4);
  latest.delete("c");
  assertEquals(["a", "c"].map((key) => latest.get(key)), [4, undefined]);
});
