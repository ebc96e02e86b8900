import type { Template } from "./provider.ts";

/** What placeholders stand for; absent ones are undefined. */
export type Fillings = Readonly<Record<string, string | undefined>>;

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

/** The names in a template, in their order. */
export function placeholders(template: Template): string[] {
  return Array.from(template.matchAll(PLACEHOLDER), ([, name = ""]) => name);
}

/** The text, or null where something that it names is absent. */
export function fill(template: Template, fillings: Fillings): string | null {
  return filled(template, fillings, (text) => text);
}

/** As an address: whatever is filled in stays within its part of it (RFC 3986 §2.1), but for an origin at its beginning. */
export function fillUrl(template: Template, fillings: Fillings): string | null {
  return filled(template, fillings, (text, at) => at === 0 ? text : encodeURIComponent(text));
}

/** Every one that can be filled, by name. What names something absent is left out, and so is null. */
export function fillAll(
  templates: Readonly<Record<string, Template | null>>,
  fillings: Fillings,
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, template] of Object.entries(templates)) {
    const text = template === null ? null : fill(template, fillings);
    if (text !== null) texts[name] = text;
  }
  return texts;
}

/**
 * As header fields: what is no visible ASCII is encoded, since a field holds nothing else for certain, and a line's end
 * would begin another (RFC 9110 §5.5).
 */
export function fillHeaders(
  templates: Readonly<Record<string, Template>>,
  fillings: Fillings,
): Record<string, string> {
  const encoded = (text: string) => text.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
  const texts = Object.entries(fillAll(templates, fillings));
  return Object.fromEntries(texts.map(([name, text]) => [name, encoded(text)]));
}

function filled(
  template: Template,
  fillings: Fillings,
  encode: (text: string, at: number) => string,
): string | null {
  let missing = false;
  const text = template.replace(PLACEHOLDER, (_, name: string, at: number) => {
    const filling = Object.hasOwn(fillings, name) ? fillings[name] : undefined;
    missing ||= filling === undefined;
    return encode(filling ?? "", at);
  });
  return missing ? null : text;
}
