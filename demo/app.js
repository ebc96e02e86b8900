/** The page: sign in, connect Pipedrive once, search. It never sees a token of Pipedrive's. */

import { openApi, Trouble } from "./api.js";
import { createCards, nameOf } from "./cards.js";
import { createChoice } from "./choice.js";
import { begin, complete, takeReturn } from "./connect.js";
import { byId, setText } from "./dom.js";
import { createLab } from "./lab.js";
import { keepLooking } from "./live.js";
import { createSearch } from "./search.js";
import { loginHasEnded } from "./sentences.js";
import { createSignIn } from "./sign_in.js";
import { createTimeline } from "./timeline.js";
import { hush, say, sayTrouble, troubleBox } from "./trouble.js";

const TICK_MS = 1_000;
/** A stack on this machine, ours or that of `supabase start`, has the demo user. */
const LOOPBACK = new Set(["127.0.0.1", "localhost"]);

const back = takeReturn();
const config = await (await fetch("/config.json")).json();
const api = openApi(config);
const local = Boolean(config.sandbox_url);

/** Undefined until it is known whether anybody is signed in. */
let user;
let looking = null;
let connections = [];
/** What this page ended itself needs no announcement. */
const endedHere = new Set();

const actions = {
  connect: () => attempt(byId("connect"), () => begin(api)),
  reconnect: () => attempt(null, () => begin(api)),
  choose: () => choice.focus(),
  sign_in: () => endLogin(),
  reload: () => location.reload(),
};

const cardActions = {
  refresh: (connection, button) =>
    attempt(button, async () => {
      const { version } = await api.call("refresh-token", { connection_id: connection.id, force: true });
      await looking.now();
      say(`Refreshed: ${nameOf(connection)} has version ${version} of its tokens.`);
    }),
  disconnect: async (connection, button) => {
    if (await confirmed(connection)) await attempt(button, () => disconnect(connection));
  },
  reconnect: (_, button) => attempt(button, () => begin(api)),
};

const cards = createCards(byId("cards"), cardActions);
const past = createCards(byId("past-cards"), cardActions);
const timeline = createTimeline(byId("events"));
const choice = createChoice(() => {
  search.search();
  lab?.show(choice.chosen());
});
const search = createSearch({
  api,
  connectionId: () => choice.chosen()?.id,
  actions,
  onTrouble(error) {
    if (loginHasEnded(error)) endLogin(error);
    else looking?.now();
    return loginHasEnded(error);
  },
});
const lab = local
  ? createLab({
    sandbox_url: config.sandbox_url,
    connection: choice.chosen,
    jwt: async () => (await api.client.auth.getSession()).data.session?.access_token,
    term: search.term,
    note: timeline.note,
    changed: () => looking?.now(),
    attempt,
  })
  : null;
const signIn = createSignIn({ client: api.client, demo: LOOPBACK.has(new URL(config.api_url).hostname) });

/** Runs what a person asked for: its button waits, and whatever goes wrong is said in a sentence. */
async function attempt(button, action) {
  if (button?.dataset.busy === "true") return;
  hush();
  if (button) button.dataset.busy = "true";
  try {
    await action();
  } catch (error) {
    if (loginHasEnded(error)) endLogin(error);
    else sayTrouble(error, { ...actions, retry: () => attempt(button, action) });
  } finally {
    if (button) button.dataset.busy = "false";
  }
}

async function confirmed(connection) {
  const dialog = byId("confirm");
  setText(byId("confirm-name"), nameOf(connection));
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "disconnect";
}

async function disconnect(connection) {
  endedHere.add(connection.id);
  await api.call("oauth-callback/pipedrive/disconnect", { connection_id: connection.id });
  search.reset();
  await looking.now();
  say(`${nameOf(connection)} is disconnected: Pipedrive has been told, and the tokens are erased.`);
}

/** Reads connections and events and shows them. Trouble is shown only where nothing is: the next look may go well. */
async function look() {
  try {
    const [found, events] = await Promise.all([api.readConnections(), api.readEvents()]);
    if (user) show(found, events);
  } catch (error) {
    if (loginHasEnded(error)) endLogin(error);
    else if (byId("app").hidden) sayTrouble(error, { ...actions, retry: actions.reload });
  }
}

function show(found, events) {
  announceEnds(found);
  connections = found;
  const open = found.filter(({ status }) => status !== "disconnected");
  const ended = found.filter(({ status }) => status === "disconnected");
  cards.show(open, events);
  past.show(ended, events);
  byId("empty").hidden = open.length > 0;
  byId("add").hidden = open.length === 0;
  byId("past").hidden = ended.length === 0;
  byId("search-panel").hidden = open.length === 0;
  byId("timeline-panel").hidden = events.length === 0;
  choice.show(open);
  timeline.show(events, new Map(found.map((one) => [one.id, nameOf(one)])));
  lab?.show(choice.chosen());
  reveal("app");
}

/** What ended elsewhere, in Pipedrive or in another tab, is said. */
function announceEnds(found) {
  for (const { id, status, ...connection } of found) {
    const before = connections.find((one) => one.id === id)?.status;
    if (before !== "active" || status === "active" || endedHere.delete(id)) continue;
    say(
      status === "disconnected"
        ? `${nameOf(connection)} is not connected any more. Its tokens are erased.`
        : `Pipedrive has ended the connection to ${nameOf(connection)}. Connect it again.`,
    );
  }
}

function reveal(name) {
  for (const view of ["loading", "welcome", "app"]) byId(view).hidden = view !== name;
  byId("who").hidden = name !== "app";
}

/**
 * Uses what the redirect brought, once somebody is signed in; until then it waits.
 *
 * @returns the connection that was finished, if one was
 */
async function useReturn() {
  const { code, ticket } = back;
  back.code = back.ticket = null;
  byId("callout").replaceChildren();
  try {
    if (code) throw new Trouble(code);
    return ticket ? await complete(api, ticket) : null;
  } catch (error) {
    if (loginHasEnded(error)) endLogin(error);
    else byId("callout").replaceChildren(troubleBox(error, { ...actions, retry: actions.connect }));
    return null;
  }
}

/** Somebody has come, or gone. The page is shown once all of it is known, so that nothing moves. */
async function enter(session) {
  if (user !== undefined && session?.user.id === user?.id) return;
  looking?.stop();
  looking = null;
  user = session?.user ?? null;
  connections = [];
  if (!user) {
    hush();
    reveal("welcome");
    return signIn.show(
      back.ticket ? "Sign in to finish connecting." : back.code ? new Trouble(back.code) : "",
    );
  }
  const entered = user;
  setText(byId("email"), user.email ?? "");
  setText(byId("loading-words"), back.ticket ? "Finishing the connection …" : "Loading …");
  reveal("loading");
  const finished = await useReturn();
  if (user !== entered) return;
  looking = keepLooking({
    client: api.client,
    user_id: user.id,
    realtime: !local,
    look,
    onLive: (live) => setText(byId("live"), live ? "live" : "every 2 s"),
  });
  await looking.first;
  if (!finished) return;
  say(`${nameOf(finished)} is connected.`);
  cards.focus(finished.id);
}

/** The login is over: nothing of the page is lost but the right to ask. */
async function endLogin(error) {
  await api.client.auth.signOut({ scope: "local" });
  enter(null);
  if (error) signIn.show(error);
}

byId("connect").addEventListener("click", ({ currentTarget }) => attempt(currentTarget, () => begin(api)));
byId("add").addEventListener("click", ({ currentTarget }) => attempt(currentTarget, () => begin(api)));
byId("sign-out").addEventListener("click", ({ currentTarget }) =>
  attempt(currentTarget, async () => {
    await api.client.auth.signOut();
    search.reset();
    timeline.forget();
  }));
for (const id of ["local-mark", "lab"]) byId(id).hidden = !local;
setInterval(() => [cards, past, timeline].forEach((part) => part.tick()), TICK_MS);

/**
 * Who is signed in is what this browser keeps, whoever put it there. Another tab's news of a login can be here before
 * the login itself is: what is asked in between is refused, and signing out then would end that tab's login.
 */
async function followLogin() {
  const { data: { session } } = await api.client.auth.getSession();
  enter(session);
}

await followLogin();
// Later, because supabase-js holds its lock while it tells.
api.client.auth.onAuthStateChange(() => setTimeout(followLogin));
addEventListener("storage", followLogin);
