import { readAccount } from "../../../supabase/functions/_shared/oauth/account.ts";
import { valueAt } from "../../../supabase/functions/_shared/bytes.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assertEquals } from "../../support/assert.ts";
import { madeUp } from "../../support/made_up_provider.ts";

const ME = {
  id: 1,
  name: "Me",
  email: "me@pipedrive.com",
  company_id: 54235233,
  company_name: "Pipedrive",
  company_domain: "pipedrive-12g53f",
};

function read(change: Record<string, unknown>) {
  return readAccount(pipedrive, { account: { success: true, data: { ...ME, ...change } } });
}

Deno.test("readAccount() joins company and user of Pipedrive's users/me", () => {
  assertEquals(read({}), { key: "54235233:1", name: "Pipedrive", email: "me@pipedrive.com" });
  assertEquals(read({ id: "1", company_id: "54235233" })?.key, "54235233:1");
});

Deno.test("readAccount() follows the definition's own paths", () => {
  const answer = { id: "u-1", profile: { name: "Jane", email: "jane@example.com" } };
  assertEquals(readAccount(madeUp, { account: answer }), {
    key: "u-1",
    name: "Jane",
    email: "jane@example.com",
  });
});

Deno.test("readAccount() does without name and e-mail", () => {
  for (const nothing of [undefined, null, "", "  ", 7, {}]) {
    assertEquals(read({ company_name: nothing, email: nothing }), { key: "54235233:1" });
  }
});

Deno.test("readAccount() is strict about ids: without one there is no account", () => {
  const bad = [
    undefined,
    null,
    "",
    " ",
    "1 2",
    "1:2",
    NaN,
    1.5,
    0,
    -1,
    2 ** 60,
    true,
    {},
    [1],
    "x".repeat(129),
  ];
  for (const id of bad) {
    assertEquals(read({ id }), null);
    assertEquals(read({ company_id: id }), null);
  }
});

Deno.test("readAccount() finds no account in an answer of another shape", () => {
  for (const answer of [null, undefined, "x", 7, [], {}, { data: null }, { data: [ME] }, ME]) {
    assertEquals(readAccount(pipedrive, { account: answer }), null);
  }
});

Deno.test("valueAt() follows an answer's own members only", () => {
  assertEquals(valueAt({ a: { b: 7 } }, "a.b"), 7);
  assertEquals(valueAt([{ id: 1 }, { id: 2 }], "1.id"), 2);
  for (const path of ["constructor", "__proto__", "a.__proto__", "a.b.c", "", "0"]) {
    assertEquals(valueAt({ a: { b: 7 } }, path), undefined);
  }
  for (const path of ["length", "2", "-1", "01", "map", "0.length"]) {
    assertEquals(valueAt(["a", "b"], path), undefined, path);
  }
});

Deno.test("readAccount() keeps of a name what the database takes, and cuts it between characters", () => {
  const name = `Baltic\u0000 Timber \ud800${"😀".repeat(400)}`;
  const read_name = read({ company_name: name, email: "a\u0000@b.example" });
  assertEquals(read_name?.name, `Baltic Timber \ufffd${"😀".repeat(305)}`);
  assertEquals(read_name?.email, "a@b.example");
});

Deno.test("readAccount() takes no id that the database would refuse", () => {
  for (const id of ["1\u0000", "\ud800", "a\u0007b"]) assertEquals(read({ id }), null);
});
