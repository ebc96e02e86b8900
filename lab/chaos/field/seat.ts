import type { Seat } from "./journal.ts";

/** One word for a seat, as it travels in a header. */
export function seatName({ fleet, name, place, generation }: Seat): string {
  return `${fleet}/${name}/${place}/${generation}`;
}
