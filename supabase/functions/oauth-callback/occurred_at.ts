/**
 * When a notice says it happened, as ISO 8601; null if it says nothing that can be understood.
 *
 * Pipedrive does not document the format: seconds or milliseconds since the epoch, as a number or a text, or a date
 * with its time, in UTC where it names no zone. Of a whole second it is taken to be the end: a connection made earlier
 * in that second is meant, too.
 */
export function occurredAt(timestamp: unknown): string | null {
  const text = typeof timestamp === "number" || typeof timestamp === "string" ? String(timestamp).trim() : "";
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? fromEpoch(Number(text)) : fromDate(text);
  if (!isPlausible(ms)) return null;
  return new Date(ms % 1000 === 0 ? ms + 999 : ms).toISOString();
}

/** Seconds until the year 2286 have ten digits; milliseconds have thirteen since 2001. */
function fromEpoch(number: number): number {
  return Math.floor(number < 1e10 ? number * 1000 : number);
}

function fromDate(text: string): number {
  const [, date, time = "", zone] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}[:.\d]*) ?(Z|UTC|[+-]\d{2}:?\d{2})?$/i.exec(text) ?? [];
  if (date === undefined) return Date.parse(text);
  return Date.parse(`${date}T${time}${zone === undefined || /utc/i.test(zone) ? "Z" : zone}`);
}

/** Between 2001 and 2286: a zero or a typing error is no time. */
function isPlausible(ms: number): boolean {
  return ms >= 1e12 && ms < 1e13;
}
