/** Many callers and one refresh, as they happen: a line a caller, time to the right. */

import { svg } from "./dom.js";

const LANE = 4.5;
const TOP = 30;
const AXIS = 22;
const GAP = 8;
/** The time shown at least, so that the first moments do not fill the picture. */
const LEAST_MS = 1_500;
const TICKS = 5;

/**
 * Draws the picture for this moment.
 *
 * @param race `{ began_at, now, callers: [{ began_at, arrived_at, ended_at, ok }], refreshes: [{ began_at, ended_at }] }`,
 * times in epoch milliseconds, null for what has not happened
 */
export function draw(figure, race) {
  const width = Math.max(280, figure.clientWidth);
  const bottom = TOP + race.callers.length * LANE;
  const span_ms = Math.max(LEAST_MS, (race.now - race.began_at) * 1.04);
  const x = (time) => GAP + (width - 2 * GAP) * Math.min(1, Math.max(0, (time - race.began_at) / span_ms));
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${bottom + AXIS}`,
    width,
    height: bottom + AXIS,
    "aria-hidden": "true",
  });
  picture.append(
    ...axis(x, race.began_at, span_ms, bottom),
    ...race.refreshes.flatMap((refresh) => band(x, refresh, race.now, bottom, width)),
    ...race.callers.flatMap((caller, place) => lane(x, caller, race.now, TOP + (place + 0.5) * LANE)),
  );
  figure.replaceChildren(picture);
}

function axis(x, began_at, span_ms, bottom) {
  const step = stepFor(span_ms / TICKS);
  const ticks = [];
  for (let ms = 0; ms <= span_ms; ms += step) {
    const at = x(began_at + ms);
    ticks.push(
      svg("line", { class: "grid", x1: at, x2: at, y1: TOP, y2: bottom }),
      svg("text", { x: at, y: bottom + 16, "text-anchor": ms === 0 ? "start" : "middle" }, `${ms / 1000} s`),
    );
  }
  return ticks;
}

/** 0.1, 0.2, 0.5, 1, 2, 5 … seconds. */
function stepFor(ms) {
  const power = 10 ** Math.floor(Math.log10(ms));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= ms);
}

function band(x, { began_at, ended_at }, now, bottom, width) {
  const [from, to] = [x(began_at), x(ended_at ?? now)];
  const right = from > width * 0.7;
  return [
    svg("rect", {
      class: "band",
      x: from,
      y: TOP - 4,
      width: Math.max(2, to - from),
      height: bottom - TOP + 8,
    }),
    svg("rect", { class: "refresh", x: from, y: 16, width: Math.max(3, to - from), height: 7, rx: 3.5 }),
    svg(
      "text",
      { class: "label", x: right ? to : from, y: 10, "text-anchor": right ? "end" : "start" },
      "refresh",
    ),
  ];
}

function lane(x, { began_at, arrived_at, ended_at, ok }, now, y) {
  if (began_at === null) return [];
  const end = ended_at ?? now;
  const turn = Math.min(arrived_at ?? end, end);
  const line = (name, from, to) =>
    svg("line", { class: name, x1: x(from), x2: Math.max(x(from) + 1, x(to)), y1: y, y2: y });
  return [
    line("waits", began_at, turn),
    arrived_at !== null && line("asks", turn, end),
    ended_at !== null && svg("circle", { class: ok ? "done" : "lost", cx: x(end), cy: y, r: 1.8 }),
  ].filter(Boolean);
}
