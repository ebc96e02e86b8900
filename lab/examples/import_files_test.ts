/** What the import reads: exports of the old table, and who the rows belong to. */
import { readRows, withPlatform } from "../../tools/import_app_tok/rows.ts";
import { oneUser, usersFrom } from "../../tools/import_app_tok/users.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../tests/support/assert.ts";

const ANA = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
const ROW = { number: 1, app_id: "12", platform: "Pipedrive", refresh_token: "1:2:abc" };

async function withFile(text: string, read: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    await read(path);
  } finally {
    await Deno.remove(path);
  }
}

const EXPORTS = {
  "CSV with a byte order mark, quotes and an empty field":
    '\uFEFFid,acc_token,ref_token,Platform,AppId\r\n1,"v1u:a,b",1:2:abc,"Pipedrive",12\r\n2,,,Pipedrive,\r\n',
  "JSON as Supabase exports it": JSON.stringify([
    { id: 1, acc_token: "v1u:a", ref_token: "1:2:abc", Platform: "Pipedrive", AppId: 12 },
    { id: 2, acc_token: null, ref_token: null, Platform: "Pipedrive", AppId: null },
  ]),
  "JSON as n8n exports it": JSON.stringify([
    { json: { ref_token: "1:2:abc", Platform: "Pipedrive", AppId: "12" } },
    { json: { ref_token: "", Platform: "Pipedrive", AppId: "" } },
  ]),
};

for (const [kind, text] of Object.entries(EXPORTS)) {
  Deno.test(`readRows() understands ${kind}`, async () => {
    await withFile(text, async (path) => {
      assertEquals(await readRows(path, "App_tok"), [
        ROW,
        { number: 2, app_id: "", platform: "Pipedrive", refresh_token: "" },
      ]);
    });
  });
}

Deno.test("readRows() refuses another table by the column that it misses", async () => {
  await withFile("name\nJane\n", async (path) => {
    await assertRejects(() => readRows(path, "App_tok"), Error, 'no column "ref_token"');
  });
});

Deno.test("readRows() takes a row that leaves out the column as one without a token", async () => {
  const rows = [{ AppId: 1, Platform: "Pipedrive" }, null, { ref_token: "1:2:abc" }];
  await withFile(JSON.stringify(rows), async (path) => {
    const tokens = (await readRows(path, "App_tok")).map(({ refresh_token }) => refresh_token);
    assertEquals(tokens, ["", "", "1:2:abc"]);
  });
});

Deno.test("readRows() does not take nothing for done, and shows nothing of what it cannot read", async () => {
  for (
    const text of ["ref_token,Platform\n", "[]", '[{"ref_token": canary}]', '{"ref_token":"canary"}\n{}']
  ) {
    await withFile(text, async (path) => {
      const { message } = await assertRejects(() => readRows(path, "App_tok"), Error);
      assert(!message.includes("canary"), message);
    });
  }
});

Deno.test("withPlatform() takes rows without a platform as this one's, unless another is named", () => {
  const [unnamed, named, other] = ["", "pipedrive", "HubSpot"].map((platform) => ({ ...ROW, platform }));
  assert(unnamed && named && other);
  const platforms = (...rows: typeof unnamed[]) =>
    withPlatform(rows, "Pipedrive").map(({ platform }) => platform);
  assertEquals(platforms(unnamed, unnamed), ["Pipedrive", "Pipedrive"]);
  assertEquals(platforms(unnamed, named), ["Pipedrive", "pipedrive"]);
  assertEquals(platforms(unnamed, named, other), ["", "pipedrive", "HubSpot"]);
});

Deno.test("a mapping goes by AppId, by account or by e-mail, and knows nobody else", async () => {
  const account = { key: "7100201:11", email: "Mari@example.com" };
  await withFile(`AppId,user_id\n12,${ANA.toUpperCase()}\n`, async (path) => {
    const users = await usersFrom(path);
    assertEquals([users.ids, users.beforehand(ROW), users.of(ROW, account)], [[ANA], ANA, ANA]);
    assertEquals(users.beforehand({ ...ROW, app_id: "13" }), null);
  });
  for (const [by, key] of [["account", account.key], ["email", "mari@example.com"]]) {
    await withFile(`${by},user_id\n${key},${ANA}\n`, async (path) => {
      const users = await usersFrom(path);
      assertEquals([users.beforehand(ROW), users.of(ROW, account)], ["unknown", ANA]);
      assertEquals(users.of(ROW, { key: "1:1" }), null);
    });
  }
});

Deno.test("a mapping that is no mapping is refused", async () => {
  for (
    const text of [
      "user_id\n",
      `name,user_id\nx,${ANA}\n`,
      "AppId,user_id\n1,ana\n",
      `AppId,user_id\n1,${ANA}\n1,${ANA}\n`,
      `email,user_id\n,${ANA}\n`,
      JSON.stringify([{ email: null, user_id: ANA }]),
    ]
  ) {
    await withFile(text, async (path) => void await assertRejects(() => usersFrom(path), Error));
  }
  assertThrows(() => oneUser("ana"), Error, "no user's id");
});
