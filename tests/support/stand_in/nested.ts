/** Values at dotted paths; numbers make lists. */
export function nested(
  values: readonly (readonly [path: string, value: unknown])[],
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split(".");
    let place = body;
    for (const [at, name] of names.entries()) {
      const next = names[at + 1];
      if (next === undefined) place[name] = value;
      else place = (place[name] ??= /^\d+$/.test(next) ? [] : {}) as Record<string, unknown>;
    }
  }
  return body;
}
