/** The npm build of Deno std carries no types. */
export function parse(text: string, options: { readonly skipFirstRow: true }): Record<string, string>[];
