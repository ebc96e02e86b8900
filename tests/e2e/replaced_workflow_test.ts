/**
 * The n8n workflow that this project replaces is run by many people. Each of its ten worst defects has a test here
 * that fails if the defect is in this project.
 */
import { AppUser, Refused } from "../../local/stack/app_user.ts";
import { callApi } from "../../supabase/functions/_shared/use/call_api.ts";
import { connected, makeContext } from "../support/context.ts";
import { json, respondWith } from "../support/fake_fetch.ts";
import { expire, withStack } from "../support/own_stack.ts";
import { walk } from "../support/walk.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("the defects of the replaced workflow are not here", async (t) => {
  await withStack({}, async (stack) => {
    const { control, sql } = stack;
    await control.configure({ search_burst: null });
    const accounts = await control.accounts();
    const [first, second] = accounts.map(({ company_id, user_id }) => `${company_id}:${user_id}` as const);
    assert(first && second && first !== second);
    const ana = await new AppUser(stack).signUp("ana");
    const ben = await new AppUser(stack).signUp("ben");
    const [anas, bens] = [await ana.connect(control, first), await ben.connect(control, second)];
    const versionOf = async (id: string) =>
      Number((await sql`select version from oauth.connections where id = ${id}`)[0]?.version);

    await t.step(
      "1 cross-tenant overwrite: a refresh changes one user's tokens and nobody else's",
      async () => {
        const sealed = () => sql`select * from oauth.token_sets where connection_id = ${bens.id}`;
        const before = await sealed();
        await expire(stack, anas.id);
        await ana.search("an");
        assertEquals([...await sealed()], [...before]);
        assert((await ben.search("an")).data.items.length > 0);
      },
    );

    await t.step(
      "2 no state: a redirect that was not begun here stores nothing and exchanges nothing",
      async () => {
        const redirect = new URL(await control.install({ user: first }));
        const before = await control.counts();
        const rows = () => sql`select * from oauth.authorization_requests`;
        const kept = await rows();
        for (const state of [null, "guessed", ""]) {
          if (state !== null) redirect.searchParams.set("state", state);
          const answer = await fetch(redirect, { redirect: "manual" });
          await answer.body?.cancel();
          assertEquals(answer.status, 303);
          assert(
            new URL(answer.headers.get("location") ?? "").hash.startsWith("#oauth_error=AUTHORIZATION_"),
          );
        }
        assertEquals((await control.counts()).requests["token:exchange"], before.requests["token:exchange"]);
        assertEquals([...await rows()], [...kept]);
      },
    );

    await t.step("3 secret in the flow: no file of the functions holds one, and no answer does", async () => {
      const root = new URL("../../", import.meta.url);
      const suspicious = /client_secret["']?\s*[:=]\s*["'][^"']{8,}|Basic [A-Za-z0-9+/]{16,}/;
      for await (const path of walk(root, "supabase")) {
        assertEquals([path, suspicious.test(await Deno.readTextFile(new URL(path, root)))], [path, false]);
      }
      const begun = await ana.begin();
      assert(!JSON.stringify(begun).includes("secret"));
    });

    await t.step("4 plain-text tokens: no row of the database holds one", async () => {
      const rows = await sql`
        select to_jsonb(c)::text || to_jsonb(s)::text as row from oauth.connections c
        join oauth.token_sets s on s.connection_id = c.id
        union all select to_jsonb(r)::text from oauth.authorization_requests r
        union all select to_jsonb(e)::text from oauth.events e`;
      assert(rows.length > 2);
      for (const { row } of rows) {
        assert(!/v1u:|\d+:\d+:[0-9a-f]{40}|\d+\.\d+\.[0-9a-f]{40}/.test(row), "a token's or a code's shape");
      }
    });

    await t.step("5 reactive only: a token is replaced before the API ever refuses it", async () => {
      await sql`update oauth.connections set refresh_after = now() - interval '1 second' where id = ${anas.id}`;
      const [version, refused] = [await versionOf(anas.id), await refusals()];
      await ana.search("an");
      while (await versionOf(anas.id) === version) await ana.search("an");
      assertEquals(await refusals(), refused);
    });

    await t.step("6 expiry by English text: a refusal is known by its status, whatever it says", async () => {
      for (const expired_body of ["gateway", "invalid_token"] as const) {
        await control.configure({ expired_body });
        await control.expire_access_tokens();
        assert((await ana.search("an")).data.items.length > 0);
      }
      const before = (await control.counts()).requests["token:refresh"];
      await control.fail_next({ on: "search", how: "403_scope" });
      assertEquals((await assertRejects(() => ana.search("an"), Refused)).message, "PROVIDER_FORBIDDEN");
      assertEquals((await control.counts()).requests["token:refresh"], before);
    });

    await t.step("7 unbounded loop: a refusal that stays costs one refresh and one replay", async () => {
      await control.fail_next({ on: "search", how: "401", times: 50 });
      const before = await control.counts();
      const refused = await assertRejects(() => ana.search("an"), Refused);
      const after = await control.counts();
      await control.clear_faults();
      assertEquals([refused.status, refused.message], [401, "PROVIDER_REJECTED"]);
      assertEquals(after.requests["token:refresh"] - before.requests["token:refresh"], 1);
      assertEquals(after.requests.search - before.requests.search, 2);
    });

    await t.step("8 every failure 200: each has its own status and code", async () => {
      const failures = [
        ["402", 403, "PROVIDER_FORBIDDEN"],
        ["403_scope", 403, "PROVIDER_FORBIDDEN"],
        ["404", 404, "PROVIDER_REJECTED"],
        ["html_200", 502, "PROVIDER_RESPONSE_INVALID"],
        ["empty", 502, "PROVIDER_RESPONSE_INVALID"],
      ] as const;
      for (const [how, status, code] of failures) {
        await control.fail_next({ on: "search", how });
        const refused = await assertRejects(() => ana.search("an"), Refused);
        assertEquals([how, refused.status, refused.message], [how, status, code]);
      }
      const refused = await assertRejects(() => ana.invoke("search-persons", { term: "" }), Refused);
      assertEquals([refused.status, refused.message], [400, "INVALID_REQUEST"]);
    });

    await t.step(
      "9 no single flight: fifty searches on an expired single-use token refresh once",
      async () => {
        await expire(stack, anas.id);
        const before = await control.counts();
        const answers = await Promise.all(Array.from({ length: 50 }, () => ana.search("an")));
        const after = await control.counts();
        assertEquals(answers.length, 50);
        assertEquals(after.requests["token:refresh"] - before.requests["token:refresh"], 1);
        assertEquals(after.reused, 0);
      },
    );

    async function refusals(): Promise<number> {
      return (await control.journal()).filter(({ status, kind }) => status === 401 && kind === "search")
        .length;
    }
  });
});

Deno.test("10 success judged by key order: an answer means the same however its members are ordered", async () => {
  const members: [string, unknown][] = [["data", { items: [] }], ["additional_data", null], [
    "success",
    true,
  ]];
  for (const order of [members, members.toReversed()]) {
    const context = await makeContext({ fetch: respondWith(() => json(Object.fromEntries(order))) });
    const { id, user_id } = await connected(context);
    const answer = await callApi(context, {
      connection_id: id,
      user_id,
      path: "/api/v2/persons/search",
      query: {},
    });
    assertEquals(new TextDecoder().decode(answer.body), JSON.stringify(Object.fromEntries(order)));
  }
  const failed = await makeContext({
    fetch: respondWith(() => json({ data: { items: [] }, success: false })),
  });
  const { id, user_id } = await connected(failed);
  await assertRejects(
    () => callApi(failed, { connection_id: id, user_id, path: "/api/v2/persons/search", query: {} }),
    Error,
    "unusable",
  );
});
