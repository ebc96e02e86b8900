import type { Violation } from "./checker.ts";
import { assertEquals } from "../../tests/support/assert.ts";
import { C, LEASE_MS, ONE, REQUEST_MS, Story, TWO } from "./story.ts";

const refreshed = { version: 2, stored: 2, newest: 2 };
const dead = { status: "reauthorization_required", version: 1, stored: 1 } as const;

Deno.test("a history in which nothing went wrong has no violation", async (test) => {
  await test.step("a refresh", () => {
    const story = Story.connected().claim(1, "a").spend(1, "rotated").commit(1, "a").answered({});
    assertEquals(story.ends(refreshed), []);
  });

  await test.step("a failure, then a refresh by another process", () => {
    const story = Story.connected().claim(1, "a").spend(1, "unprocessed").fail("a")
      .claim(1, "b", TWO).spend(1, "rotated", "whole", TWO).commit(1, "b", TWO);
    assertEquals(story.ends(refreshed), []);
  });

  await test.step("a rotation lost with its process, and told as that", () => {
    const story = Story.connected().claim(1, "a").spend(1, "rotated").see({ what: "killed", seat: ONE })
      .pass(LEASE_MS).claim(1, "b", TWO, true).spend(1, "refused", "whole", TWO)
      .event("reauthorization_required", 1, "rotation_lost");
    assertEquals(story.ends({ ...dead, newest: 2 }), []);
  });

  await test.step("a rotation that was asked for by a process that had been killed, seen only afterwards", () => {
    const story = Story.connected().claim(1, "a").see({ what: "killed", seat: ONE }).spend(1, "rotated")
      .pass(LEASE_MS).claim(1, "b", TWO, true).spend(1, "refused", "whole", TWO)
      .event("reauthorization_required", 1, "rotation_lost");
    assertEquals(story.ends({ ...dead, newest: 2 }), []);
  });

  await test.step("a grant that was refused three times without an error's name, told as that", () => {
    const story = Story.connected();
    for (const lease of ["a", "b", "c"]) story.claim(1, lease).spend(1, "refused_without_code").fail(lease);
    story.event("reauthorization_required", 1, "refused_without_code");
    assertEquals(story.ends({ ...dead, newest: 1 }), []);
  });

  await test.step("a success that comes late ends the lease of whoever took over", () => {
    const story = Story.connected().claim(1, "a").spend(1, "rotated").pass(LEASE_MS).claim(1, "b", TWO, true)
      .commit(1, "a").claim(2, "c").spend(2, "rotated").commit(2, "c");
    assertEquals(story.ends({ version: 3, stored: 3, newest: 3 }), []);
  });

  await test.step("a rotation lost on its way, not yet noticed", () => {
    assertEquals(Story.connected().claim(1, "a").spend(1, "rotated", "broken").ends({ newest: 2 }), []);
  });

  await test.step("a rotation that was answered after the request's deadline, told as lost", () => {
    const story = Story.connected().claim(1, "a").spend(1, "rotated", "whole", ONE, REQUEST_MS + 1).fail("a")
      .claim(1, "b").spend(1, "refused").event("reauthorization_required", 1, "rotation_lost");
    assertEquals(story.ends({ ...dead, newest: 2 }), []);
  });

  await test.step("a withdrawal at the provider, told as that", () => {
    const story = Story.connected().see({ what: "revoked", connection: C, version: 1, seat: null }).claim(
      1,
      "a",
    )
      .spend(1, "refused").event("reauthorization_required", 1, "grant_refused");
    assertEquals(story.ends({ ...dead, newest: 1 }), []);
  });

  await test.step("a disconnect, and connecting again", () => {
    const story = Story.connected().see({ what: "disconnect_arrived", connection: C, seat: ONE }).event(
      "disconnected",
      2,
    )
      .see({ what: "connected", connection: C, version: 3 }).event("connected", 3);
    assertEquals(story.ends({ version: 3, stored: 3, newest: 3 }), []);
  });

  await test.step("a killed process breaks its callers' calls, a stopped one delays them, and some hang up", () => {
    const seats = ["f/search-persons/0/1", "f/search-persons/1/1"];
    const story = Story.connected().see({ what: "killed", seat: ONE }).see({ what: "paused", seat: TWO })
      .answered({ status: 500, code: "WORKER_ERROR", by: seats[0] ?? null })
      .answered({ ended_at: 40_000, by: seats[1] ?? null })
      .answered({ status: null, hung_up: true })
      .answered({ status: 503, code: "REFRESH_IN_PROGRESS" });
    assertEquals(story.ends({}), []);
  });
});

Deno.test("a violation tells who did what, when, and what was done to whom", () => {
  const story = Story.connected().claim(1, "a").spend(1, "rotated").see({ what: "fault", how: "a restart" })
    .see({ what: "paused", seat: ONE }).pass(LEASE_MS).claim(1, "b", TWO, true)
    .spend(1, "refused", "whole", TWO).event("reauthorization_required", 1, "rotation_lost");
  const [, found] = story.violations({ ...dead, newest: 2 });
  assertEquals(found?.detail.split("\n").map((line) => line.trim()), [
    "of version 1",
    "0 ms f/search-persons/0/1 claimed sent 0 ms before, a",
    "0 ms f/search-persons/0/1 presented",
    "0 ms f/search-persons/0/1 judged rotated",
    "0 ms f/search-persons/0/1 delivered whole",
    "0 ms fault a restart",
    "0 ms f/search-persons/0/1 paused",
    "30000 ms f/search-persons/1/1 claimed (a takeover) sent 0 ms before, b",
    "30000 ms f/search-persons/1/1 presented",
    "30000 ms f/search-persons/1/1 judged refused",
    "30000 ms f/search-persons/1/1 delivered whole",
  ]);
});

Deno.test("each violation is found", async (test) => {
  const found: [string, Violation["kind"][], () => Violation["kind"][]][] = [
    [
      "a token presented without a claim",
      ["double spend"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated").spend(1, "refused").commit(1, "a").ends(
          refreshed,
        ),
    ],
    [
      "a lease given while another runs",
      ["two leases"],
      () =>
        Story.connected().claim(1, "a").pass(LEASE_MS - 1).claim(1, "b", TWO).spend(
          1,
          "rotated",
          "whole",
          TWO,
        )
          .commit(1, "b", TWO).ends(refreshed),
    ],
    [
      "a version claimed after its successor was committed",
      ["went back"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated").commit(1, "a").pass(1).claim(1, "b").ends(
          refreshed,
        ),
    ],
    [
      "an issued token in living hands that is not stored",
      ["lost grant"],
      () => Story.connected().claim(1, "a").spend(1, "rotated").ends({ newest: 2 }),
    ],
    [
      "a dead connection whose process had lived",
      ["lost grant", "false reauthorization"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated").pass(LEASE_MS).claim(1, "b", TWO, true)
          .spend(1, "refused", "whole", TWO).event("reauthorization_required", 1, "rotation_lost")
          .ends({ ...dead, newest: 2 }),
    ],
    [
      "a rotation that was answered at the very end of the request's time",
      ["lost grant", "false reauthorization"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated", "whole", ONE, REQUEST_MS).fail("a")
          .claim(1, "b").spend(1, "refused").event("reauthorization_required", 1, "rotation_lost")
          .ends({ ...dead, newest: 2 }),
    ],
    [
      "a process that was killed only after it had committed does not excuse a loss",
      ["lost grant"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated").commit(1, "a").see({ what: "killed", seat: ONE })
          .ends({ version: 2, stored: 1, newest: 2 }),
    ],
    [
      "a death though the provider refused nothing",
      ["lost grant", "false reauthorization"],
      () =>
        Story.connected().claim(1, "a").spend(1, "unprocessed").event(
          "reauthorization_required",
          1,
          "grant_refused",
        ).ends({ ...dead, newest: 1 }),
    ],
    [
      "a death that healed when the late commit came",
      ["false reauthorization"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated").pass(LEASE_MS).claim(1, "b", TWO, true)
          .spend(1, "refused", "whole", TWO).event("reauthorization_required", 1, "rotation_lost")
          .see({ what: "committed", connection: C, base: 1, lease: "a", outcome: "committed", seat: ONE })
          .event("recovered", 2).ends(refreshed),
    ],
    [
      "a rotation that we lost, told as a refusal",
      ["wrong label"],
      () =>
        Story.connected().claim(1, "a").spend(1, "rotated", "broken").fail("a").claim(1, "b")
          .spend(1, "refused").event("reauthorization_required", 1, "grant_refused").ends({
            ...dead,
            newest: 2,
          }),
    ],
    [
      "a withdrawal, told as our loss",
      ["wrong label"],
      () =>
        Story.connected().see({ what: "revoked", connection: C, version: 1, seat: null }).claim(1, "a").spend(
          1,
          "refused",
        )
          .event("reauthorization_required", 1, "rotation_lost").ends({ ...dead, newest: 1 }),
    ],
    [
      "a grant given up at the second refusal without an error's name",
      ["wrong label"],
      () =>
        Story.connected().claim(1, "a").spend(1, "refused_without_code").fail("a").claim(1, "b")
          .spend(1, "refused_without_code").event("reauthorization_required", 1, "refused_without_code")
          .ends({ ...dead, newest: 1 }),
    ],
    [
      "a refresh after a disconnect",
      ["resurrection"],
      () => Story.connected().event("disconnected", 2).event("refreshed", 3).ends({ version: 3 }),
    ],
    [
      "tokens beside a disconnected connection",
      ["resurrection"],
      () =>
        Story.connected().event("disconnected", 2).ends({ status: "disconnected", version: 2, stored: 1 }),
    ],
    [
      "a version without an origin",
      ["version gap"],
      () => Story.connected().event("refreshed", 3).ends({ version: 3, stored: 3, newest: 3 }),
    ],
    [
      "a version that rose unrecorded",
      ["version gap"],
      () => Story.connected().ends({ version: 2 }),
    ],
    ["a connection without tokens", ["half written"], () => Story.connected().ends({ stored: null })],
    ["a token that nobody issued", ["half written"], () => Story.connected().ends({ stored: NaN })],
    [
      "a caller whose connection broke",
      ["no answer"],
      () => Story.connected().answered({ status: null }).ends({}),
    ],
    [
      "a caller kept too long",
      ["late answer"],
      () => Story.connected().answered({ ended_at: 31_000 }).ends({}),
    ],
    [
      "an error without a documented code",
      ["untyped answer"],
      () => Story.connected().answered({ status: 500, code: "INTERNAL_ERROR" }).ends({}),
    ],
    [
      "a platform's error though no process was killed",
      ["untyped answer"],
      () => Story.connected().answered({ status: 500, code: "WORKER_ERROR", by: "f/x/0/1" }).ends({}),
    ],
  ];
  for (const [name, kinds, story] of found) {
    await test.step(name, () => assertEquals(story(), kinds));
  }
});
