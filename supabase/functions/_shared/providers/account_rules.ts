import type { Definition } from "../oauth/provider.ts";
import { placeholders } from "../oauth/template.ts";
import { addressProblems } from "./addresses.ts";
import { type Problem, when } from "./problem.ts";

/** Whom the tokens speak for: every source is read somewhere, and none that somebody could forge makes the key. */
export function accountProblems({ account, api, values = {} }: Definition): Problem[] {
  const { request, key, name, email } = account;
  const url = typeof request === "object" ? request.url : request;
  const below = url?.startsWith("/") ? api.base + url : url;
  const sources = [...key, name, email].filter((source) => source !== undefined);
  const from = Object.values(values).map((value) => value.from as string);
  const asked = [...sources, ...from].some((source) => source.startsWith("account:"));
  const late = Object.entries(values).filter(([, { from }]) => from.startsWith("account:")).map(([own]) =>
    own
  );
  const circular = below !== undefined && placeholders(below).some((own) => late.includes(own));
  const confirmed = (source: string) => {
    const [word, path = ""] = source.split(/:(.*)/s);
    if (word !== "redirect" && word !== "value") return true;
    const names = word === "value"
      ? [path]
      : Object.entries(values).filter(([, value]) => value.from === source).map(([own]) => own);
    return below !== undefined && names.some((own) => placeholders(below).includes(own));
  };
  return [
    ...(url === undefined
      ? []
      : addressProblems("account.request", below, values, ["client_id", "access_token"])),
    ...when(circular, '"account.request" is made below what only its own answer says'),
    ...when(asked && request === undefined, '"account.request" is missing: a source reads its answer'),
    ...key.filter((source) => !confirmed(source)).map((source) =>
      `"account.key" takes ${source} unconfirmed: the account request's address must hold it`
    ),
    ...sources.filter((source) => source.startsWith("value:") && !(source.slice(6) in values)).map((source) =>
      `"account" reads ${source}, which is no value`
    ),
  ];
}
