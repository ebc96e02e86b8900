import type { Definition, Template } from "../oauth/provider.ts";
import { placeholders } from "../oauth/template.ts";
import type { Problem } from "./problem.ts";

type Values = NonNullable<Definition["values"]>;

/** https, a host that stays within its site whatever is filled in, and placeholders that exist. */
export function addressProblems(
  key: string,
  template: Template | undefined,
  values: Values,
  built_in: readonly string[],
): Problem[] {
  if (template === undefined) return [];
  const unknown = unknownIn(key, template, [...Object.keys(values), ...built_in]);
  if (unknown.length > 0) return unknown;
  const [, origin] = /^\{([a-z0-9_]+)\}(?=\/|$)/.exec(template) ?? [];
  if (origin !== undefined) {
    return values[origin]?.kind === "origin" ? [] : [`"${key}" begins with {${origin}}, which is no origin`];
  }
  const [, host, path = ""] = /^https:\/\/([^/?#]+)([/?#].*)?$/.exec(template) ?? [];
  if (host === undefined) return [`"${key}" must begin with https:// or with an origin`];
  return [...hostProblems(key, host, values), ...pathProblems(key, path, values)];
}

function hostProblems(key: string, host: string, values: Values): Problem[] {
  const names = placeholders(host);
  if (names.length === 0) {
    const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : null;
    return url?.host === host && !/[:@]/.test(host) ? [] : [`"${key}" must have a plain host`];
  }
  if (names.length === 1 && host === `{${names[0]}}`) {
    return values[names[0] ?? ""]?.kind === "host"
      ? []
      : [`"${key}" has {${names[0]}} as its host, which is none`];
  }
  const labels = names.filter((name) => !["label"].includes(values[name]?.kind ?? ""));
  if (labels.length > 0) return [`"${key}" has {${labels[0]}} in its host, which must be a label`];
  const own = host.split("}").at(-1) ?? "";
  const whole = host.split(".").every((label) => !label.includes("{") || /^\{[a-z0-9_]+\}$/.test(label));
  const ends = /^(?:\.[a-z0-9-]+){2,}$/.test(own);
  return whole && ends
    ? []
    : [`"${key}" has a host that can leave its site: it must end in the provider's domain`];
}

function pathProblems(key: string, path: string, values: Values): Problem[] {
  return placeholders(path).flatMap((name) =>
    ["host", "origin"].includes(values[name]?.kind ?? "")
      ? [`"${key}" has {${name}} in its path, which is a whole ${values[name]?.kind}`]
      : []
  );
}

/** Placeholders that name nothing. */
export function unknownIn(key: string, template: Template, known: readonly string[]): Problem[] {
  const stray = template.replace(/\{[a-z][a-z0-9_]*\}/g, "");
  if (/[{}]/.test(stray)) return [`"${key}" has a brace that opens or closes no placeholder`];
  return placeholders(template).filter((name) => !known.includes(name)).map((name) =>
    `"${key}" names {${name}}, which is no value; it may be ${known.join(", ") || "none"}`
  );
}
