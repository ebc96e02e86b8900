import { assertEquals } from "../../support/assert.ts";
import { counted } from "../../support/counted.ts";

const runs: [string, string, { passed: number; failed: number }][] = [
  ["deno test's line", "console.log('ok | 12 passed (3 steps) | 1 failed (2s)')", { passed: 12, failed: 1 }],
  ["the last line that counts", "console.log('9 passed, 9 failed\\n2 passed, 0 failed')", {
    passed: 2,
    failed: 0,
  }],
  ["a run without tests", "console.log('Checked 3 files')", { passed: 0, failed: 0 }],
  ["a bad end that nothing counted", "Deno.exit(1)", { passed: 0, failed: 1 }],
  ["a bad end after good tests", "console.log('7 passed, 0 failed'); Deno.exit(3)", { passed: 7, failed: 1 }],
];

for (const [what, program, counts] of runs) {
  Deno.test(`counted() goes by ${what}`, async () => {
    assertEquals(await counted(["eval", program], new WritableStream()), counts);
  });
}
