/** The local panel: what happens to a connection in months, made to happen now, and watched. */

import { nameOf } from "./cards.js";
import { draw } from "./chart.js";
import { byId, setText } from "./dom.js";
import { plural } from "./words.js";

const CALLERS = 50;
/** What is looked for when nothing is typed. */
const TERM = "an";
/** How often the sandbox's journal is read during the race. */
const READ_MS = 100;
/** How long the token endpoint takes at least during the race: long enough to be seen. */
const SEEN_MS = 800;
const PROVIDER = "sandbox-provider";
const SLOW = { token_latency_ms: 2_500, api_latency_ms: 1_200 };
const PROMPT = { token_latency_ms: 0, api_latency_ms: 0 };
/** As many requests as anybody makes before turning it off. */
const FOR_LONG = 100_000;

/**
 * @param connection the one that is acted on
 * @param jwt the user's own, for the searches that this page's server sends
 * @param note writes into the timeline
 * @param changed called when there may be something new
 * @param attempt runs an action with its button
 */
export function createLab({ sandbox_url, connection, jwt, term, note, changed, attempt }) {
  const control = (method, argument = null) => post(`${sandbox_url}/_control/${method}`, argument);
  const user = () => connection().account.id;
  const [company_id, user_id] = [0, 1].map((place) => () => Number(user().split(":")[place]));

  async function expire() {
    await post("/local/expire", { connection_id: connection().id });
    await control("expire_access_tokens", { user: user() });
  }

  const ACTS = {
    "lab-expire": async () => {
      await expire();
      note("You let the access token expire");
    },
    "lab-refuse": async () => {
      await control("expire_access_tokens", { user: user() });
      note("You made Pipedrive refuse the access token (401)");
    },
    "lab-uninstall": async () => {
      note("You uninstalled the app in Pipedrive");
      await control("uninstall", { company_id: company_id(), user_id: user_id() });
    },
    "lab-revoke": async () => {
      await control("revoke", { user: user() });
      note("You revoked access in Pipedrive, which tells nobody");
    },
    "lab-race": () => race({ control, expire, connection, jwt, term, note, changed }),
  };
  for (const [id, act] of Object.entries(ACTS)) {
    byId(id).addEventListener("click", (event) =>
      attempt(event.currentTarget, async () => {
        await act();
        await changed();
      }));
  }

  byId("lab-market").href = sandbox_url;
  setText(byId("lab-race-count"), String(CALLERS));
  const chosen = sessionStorage.getItem(PROVIDER) ?? "normal";
  for (const radio of document.querySelectorAll("[name=provider]")) {
    radio.checked = radio.value === chosen;
    radio.addEventListener("change", () =>
      attempt(null, async () => {
        await setProvider(control, radio.value);
        note(`You made Pipedrive ${radio.value}`);
      }));
  }
  return {
    /**
     * @param target the connection chosen, if there is one
     * @param others whether there are others, of which none can be
     */
    show(target, others = false) {
      const active = target?.status === "active";
      const name = target && nameOf(target);
      const other = name
        ? `${name} must be connected again`
        : `Connect ${others ? "Pipedrive" : "an account"} first`;
      setText(byId("lab-target"), active ? `Acts on ${name}` : other);
      for (const id of Object.keys(ACTS)) byId(id).disabled = !active;
    },
  };
}

async function setProvider(control, how) {
  sessionStorage.setItem(PROVIDER, how);
  await control("clear_faults");
  await control("configure", how === "slow" ? SLOW : PROMPT);
  if (how !== "broken") return;
  for (const on of ["token", "api"]) await control("fail_next", { on, how: "503", times: FOR_LONG });
}

/** Fifty searches at once upon an expired token: who waits, who refreshes, when each is answered. */
async function race({ control, expire, connection, jwt, term, note, changed }) {
  const before = await control("configure", {});
  const offset = await control("advance_clock", 0) - Date.now();
  const seen = (await control("journal")).length;
  await control("configure", {
    search_burst: null,
    token_latency_ms: Math.max(SEEN_MS, before.token_latency_ms),
  });
  await expire();
  const state = begin();
  const frame = () => {
    state.now = Date.now();
    show(state);
    if (!state.over) requestAnimationFrame(frame);
  };
  frame();
  const watching = watch(state, async () => (await control("journal")).slice(seen), offset);
  try {
    const lines = await searches({ connection_id: connection().id, term, callers: CALLERS }, jwt);
    for await (const line of lines) take(state, line);
  } finally {
    state.over = true;
    await watching;
    await control("configure", {
      search_burst: before.search_burst,
      token_latency_ms: before.token_latency_ms,
    });
  }
  show(state);
  const sentence = summary(state);
  setText(byId("race-summary"), sentence);
  note(sentence);
  await changed();
}

function begin() {
  const now = Date.now();
  const caller = () => ({ began_at: null, arrived_at: null, ended_at: null, ok: false });
  setText(byId("race-summary"), "Under way …");
  return { began_at: now, now, over: false, callers: Array.from({ length: CALLERS }, caller), refreshes: [] };
}

function take({ callers }, { caller, began_at, ended_at, status, code, turn }) {
  const one = callers[caller - 1];
  if (began_at) one.began_at = began_at;
  if (ended_at) Object.assign(one, { ended_at, ok: status === 200, code, turn });
}

/** Reads the sandbox's journal until the race is over, and once more. */
async function watch(state, journal, offset) {
  for (let last = false; !last;) {
    last = state.over;
    read(state, await journal(), offset);
    if (!last) await new Promise((resolve) => setTimeout(resolve, READ_MS));
  }
}

/** Which caller a search was, its limit tells. A refresh ends when it is answered, at the latest when its token is used. */
function read(state, entries, offset) {
  for (const { kind, at, query } of entries) {
    const one = kind === "search" ? state.callers[Number(query?.limit) - 1] : null;
    if (one) one.arrived_at ??= at - offset;
  }
  const used = Math.min(...state.callers.map(({ arrived_at }) => arrived_at ?? Infinity));
  const refreshes = entries.filter(({ kind }) => kind === "token:refresh");
  state.refreshes = refreshes.map(({ at, status }, place) => {
    const known = state.refreshes[place]?.ended_at ?? (status === null ? null : Date.now());
    return { began_at: at - offset, ended_at: known === null ? null : Math.min(known, used) };
  });
}

function show(state) {
  const answered = state.callers.filter(({ ended_at }) => ended_at !== null).length;
  const waiting =
    state.callers.filter(({ began_at, arrived_at, ended_at }) =>
      began_at !== null && arrived_at === null && ended_at === null
    ).length;
  const figures = { callers: CALLERS, waiting, answered, refreshes: state.refreshes.length };
  for (const [name, figure] of Object.entries(figures)) setText(byId(`race-${name}`), String(figure));
  byId("race").dataset.state = "drawn";
  draw(byId("race"), state);
}

function summary({ callers, refreshes, began_at }) {
  const refused = callers.filter(({ ok }) => !ok);
  const again = callers.filter(({ turn }) => turn > 1).length;
  const seconds = (Math.max(...callers.map(({ ended_at }) => ended_at)) - began_at) / 1000;
  return [
    `${CALLERS} searches at once: ${plural(refreshes.length, "refresh", "refreshes")}`,
    plural(CALLERS - refused.length, "answer"),
    refused.length > 0 && `${refused.length} refused (${refused[0].code})`,
    again > 0 && `${again} came back later`,
    `in ${seconds.toFixed(1)} s`,
  ].filter(Boolean).join(", ");
}

/** The lines of NDJSON as they come. */
async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}

async function searches({ connection_id, term, callers }, jwt) {
  const response = await fetch("/local/searches", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await jwt()}` },
    body: JSON.stringify({ connection_id, term: [...term()].length < 2 ? TERM : term(), callers }),
  });
  return linesOf(response);
}

async function post(url, argument) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(argument),
  });
  const { result, error } = await response.json();
  if (!response.ok) throw new Error(error);
  return result;
}
