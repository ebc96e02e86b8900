/** The bench itself, in its tiniest size: that it measures everything it names, and what it counts. Never how fast. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { CURRENT } from "./field/runtimes.ts";
import type { Count } from "./figures.ts";
import { markdown } from "./report.ts";
import { measure } from "./run.ts";
import { SUBJECTS } from "./subjects/all.ts";

Deno.test("the bench measures each subject, and counts what no machine changes", async (t) => {
  const { measured, postgres } = await measure({ subjects: SUBJECTS, runtimes: [CURRENT], size: "tiny" });
  const countsOf = (name: string) =>
    Object.fromEntries(
      (measured.find(({ subject }) => subject.name === name)?.counts ?? []).map((
        { what, count },
      ) => [what, count]),
    );

  await t.step("every figure stands against a control, on as many measurements", () => {
    for (const { subject, figures, counts = [] } of measured) {
      assert(figures.length + counts.length > 0, subject.name);
      assertEquals(new Set(figures.map(({ what, against, is }) => what + against + is)).size, figures.length);
      for (const figure of figures) {
        const { what, n, p50, p95, p99, itself, control } = figure;
        assert(n > 0 && figure.against !== "" && figure.limited_by !== "", what);
        for (const value of [p50, p95, p99, itself, control]) {
          assert(Number.isFinite(value), `${what}: ${value}`);
        }
      }
    }
  });
  await t.step("a herd refreshes once, and everybody is answered", () => {
    assertEquals(countsOf("herd"), {
      "token requests, a living token": 0,
      "answered 200, a living token": 24,
      "token requests, a token in its soft window": 1,
      "answered 200, a token in its soft window": 24,
      "token requests, an expired token": 1,
      "answered 200, an expired token": 24,
    });
  });
  await t.step("a sweep asks once for each that is due", () => {
    const counts: readonly Count[] = measured.find(({ subject }) => subject.name === "sweep")?.counts ?? [];
    assertEquals(counts.map(({ of, count }) => [of, count]), [["5 due", 5], ["10 due", 10]]);
  });
  await t.step("of the peers each caller sends a token request of its own", () => {
    const counts = countsOf("peers");
    assertEquals(counts["token requests, this project"], 1);
    assertEquals(counts["answered, this project"], 20);
    const theirs = Object.entries(counts).filter(([what]) => !what.endsWith("this project"));
    assertEquals(theirs.length, 6);
    for (const [what, count] of theirs) {
      assert(what.startsWith("answered") ? count < 20 : count > 1, `${what}: ${count}`);
    }
  });
  await t.step("the page has a section for each, and says that nothing of this size is to be quoted", () => {
    const text = markdown(measured, {
      ...{ command: "deno task bench", size: "tiny", date: "2026-11-26", took_ms: 0, postgres, cpu: "" },
      ...{ runtimes: [CURRENT.version], packages: [] },
    });
    for (const { title } of SUBJECTS) assert(text.includes(`\n## ${title}\n`), title);
    assert(text.includes("a test of the bench itself") && !text.includes("NaN"), text);
  });
});
