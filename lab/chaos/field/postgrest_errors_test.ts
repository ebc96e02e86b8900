import { assertEquals } from "../../../tests/support/assert.ts";
import { noFunction, statusOf } from "./postgrest_errors.ts";

Deno.test("an SQLSTATE gets the status that PostgREST gives it", () => {
  const statuses = {
    "08006": 503,
    "0A000": 400,
    "0LP01": 403,
    "21000": 500,
    "22023": 400,
    "23502": 400,
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "25P02": 500,
    "28P01": 403,
    "40001": 500,
    "40P01": 500,
    "42501": 403,
    "42703": 400,
    "42883": 404,
    "42P01": 404,
    "53100": 503,
    "53400": 500,
    "55P03": 500,
    "57014": 500,
    "57P01": 503,
    "57P03": 500,
    "P0001": 400,
    "P0002": 500,
    "XX000": 500,
  };
  const given = Object.fromEntries(Object.keys(statuses).map((code) => [code, statusOf(code)]));
  assertEquals(given, statuses);
});

Deno.test("a function that its cache does not know is named, with the arguments it was looked for with", () => {
  const { status, text } = noFunction("oauth_peek", ["p_id", "p_user_id"]);
  const { code, message, hint } = JSON.parse(text);
  assertEquals([status, code, hint], [404, "PGRST202", null]);
  assertEquals(
    message,
    "Could not find the function public.oauth_peek(p_id, p_user_id) in the schema cache",
  );
});
