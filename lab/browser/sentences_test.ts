/** The page tells a person what to do about every error: the map is held against the functions' own codes. */
import { ACTIONS, adviceFor, SENTENCES } from "../../demo/sentences.js";
import { CODES } from "../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";

/** Of `withSupabase`, and the one that only a redirect brings. */
const BESIDES = ["INVALID_JWT", "INVALID_API_KEY", "UNUSABLE_CREDENTIAL", "AUTHORIZATION_NOT_STARTED_HERE"];

const sentences: Readonly<Record<string, readonly string[]>> = SENTENCES;

Deno.test("the page has a sentence and an action for every public code", () => {
  for (const code of [...Object.keys(CODES), ...BESIDES]) {
    const [sentence = "", action = ""] = sentences[code] ?? [];
    assert(sentence.length > 20, `a sentence for ${code}`);
    assert(Object.hasOwn(ACTIONS, action), `an action for ${code}`);
  }
});

Deno.test("no sentence speaks in codes, tokens or statuses", () => {
  for (const [code, [sentence = "", action = ""]] of Object.entries(sentences)) {
    assert(!/[A-Z]{2,}_|\b[45]\d\d\b|\btokens?\b|OAuth/.test(sentence), `${code}: ${sentence}`);
    assert(/[.?]$/.test(sentence), `${code} ends as a sentence does`);
    assert(Object.hasOwn(ACTIONS, action), `${code} has an action`);
  }
});

Deno.test("a sentence is about the provider that it is about, or about none by name", () => {
  const named = Object.entries(sentences).filter(([, [sentence = ""]]) => sentence.includes("{provider}"));
  assert(named.length > 5);
  for (const [code] of named) {
    const [hubspot, nobody] = ["hubspot", undefined].map((provider) => adviceFor({ code, provider }));
    assert(hubspot?.sentence.includes("HubSpot"), hubspot?.sentence);
    assert(/^[A-Z]/.test(nobody?.sentence ?? ""), nobody?.sentence);
    assert(/\bthe provider\b/i.test(nobody?.sentence ?? ""), nobody?.sentence);
  }
  const labels = ["hubspot", undefined].map((provider) =>
    adviceFor({ code: "CONNECTION_NOT_FOUND", provider }).label
  );
  assertEquals(labels, ["Connect HubSpot", "Connect an account"]);
});

Deno.test("a wait is said in words, and an unknown error in its own", () => {
  const wait = (retry_after: number) => adviceFor({ code: "PROVIDER_RATE_LIMITED", retry_after }).sentence;
  assert(wait(1).endsWith("Wait a second first."));
  assert(wait(45).endsWith("Wait 45 seconds first."));
  assert(wait(3_600).endsWith("Wait 60 minutes first."));
  const unknown = adviceFor({ code: "SOMETHING_NEW", message: "the moon is full" });
  assertEquals(unknown.sentence, "That did not work: the moon is full");
  assertEquals(unknown.label, "Try again");
});
