/** The page: sign in, connect once, search. It never sees a token of a provider's. */

import { openApi, readConfig } from "./api.js";
import { createAsking } from "./asking.js";
import { createCards, nameOf } from "./cards.js";
import { createChoice } from "./choice.js";
import { begin, takeReturn, wished } from "./connect.js";
import { byId, setText } from "./dom.js";
import { confirmed, farewell } from "./ending.js";
import { createLab } from "./lab.js";
import { keepLooking } from "./live.js";
import { createOffer, isPipedrive, PIPEDRIVE } from "./offer.js";
import { createReturning } from "./returning.js";
import { showOffer } from "./said.js";
import { createSearch } from "./search.js";
import { loginHasEnded } from "./sentences.js";
import { createSignIn } from "./sign_in.js";
import { createStanding } from "./standing.js";
import { createTimeline } from "./timeline.js";
import { hush, say, sayTrouble } from "./trouble.js";

const TICK_MS = 1_000;
/** A stack on this machine, ours or that of `supabase start`, has the demo user. */
const LOOPBACK = new Set(["127.0.0.1", "localhost"]);

const back = takeReturn();
const config = await readConfig().catch((error) => {
  sayTrouble(error, { retry: () => location.reload() });
  throw error;
});
const api = openApi(config);
const local = Boolean(config.sandbox_url);
const offer = createOffer(api, () => showOffer(offer, connect));

/** Undefined until it is known whether anybody is signed in. */
let user;
let looking = null;

/** Leaves for the provider. What is typed is there again afterwards. */
async function leave(provider, values) {
  search.keep();
  await begin(api, provider, values);
}

const ask = createAsking({ offer, begin: leave });

/** What the buttons beside a sentence do, where it is about this provider. */
const actionsFor = (provider) => ({
  connect: () => connect(null, provider),
  reconnect: () => connect(null, provider),
  choose: () => choice.focus(),
  sign_in: () => endLogin(),
  reload: () => location.reload(),
});

const cardActions = {
  refresh: (connection, button) =>
    attempt(button, async () => {
      const { version } = await api.call("refresh-token", { connection_id: connection.id, force: true });
      await looking.now();
      say(`Refreshed: ${nameOf(connection)} has version ${version} of its tokens.`);
    }, connection.provider),
  disconnect: async (connection, button) => {
    if (await confirmed(connection, offer)) await attempt(button, () => disconnect(connection));
  },
  reconnect: ({ provider }, button) => connect(button, provider),
};

const cards = createCards(byId("cards"), offer, cardActions);
const past = createCards(byId("past-cards"), offer, cardActions);
const timeline = createTimeline(byId("events"));
const choice = createChoice(() => {
  search.search();
  lab?.show(choice.chosen());
});
const search = createSearch({
  api,
  connectionId: () => choice.chosen()?.id,
  actions: actionsFor(PIPEDRIVE),
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
const returning = createReturning({ back, api, offer, actionsFor, onLoginEnded: (error) => endLogin(error) });
const standing = createStanding({
  cards,
  past,
  choice,
  timeline,
  lab,
  offer,
  onConnected: returning.settle,
});
const signIn = createSignIn({ client: api.client, demo: LOOPBACK.has(new URL(config.api_url).hostname) });

/**
 * Runs what a person asked for: its button waits, and whatever goes wrong is said in a sentence.
 *
 * @param provider whom it is about, where an error does not say it
 */
async function attempt(button, action, provider) {
  if (button?.dataset.busy === "true") return;
  hush();
  if (button) button.dataset.busy = "true";
  try {
    await action();
  } catch (error) {
    if (loginHasEnded(error)) endLogin(error);
    else {
      error.provider ??= provider;
      sayTrouble(error, { ...actionsFor(error.provider), retry: () => attempt(button, action, provider) });
    }
  } finally {
    if (button) button.dataset.busy = "false";
  }
}

/** Leaves for the provider, after asking for whatever is open: at whom to connect, and what that one has to know. */
function connect(button, provider) {
  return attempt(button, async () => {
    await offer.learn();
    const chosen = provider ?? offer.only();
    if (chosen && offer.valuesOf(chosen).length === 0) return await leave(chosen);
    if (button) button.dataset.busy = "false";
    await ask(chosen);
  }, provider);
}

async function disconnect(connection) {
  standing.endsHere(connection);
  await api.call(`oauth-callback/${connection.provider}/disconnect`, { connection_id: connection.id });
  if (isPipedrive(connection)) search.reset();
  await looking.now();
  say(farewell(connection, offer));
}

/** Reads connections and events and shows them. Trouble is shown only where nothing is: the next look may go well. */
async function look() {
  try {
    const [found, events] = await Promise.all([api.readConnections(), api.readEvents()]);
    if (!user) return;
    standing.show(found, events);
    reveal("app");
  } catch (error) {
    if (loginHasEnded(error)) endLogin(error);
    else if (byId("app").hidden) sayTrouble(error, { ...actionsFor(), retry: actionsFor().reload });
  }
}

function reveal(name) {
  for (const view of ["loading", "welcome", "app"]) byId(view).hidden = view !== name;
  byId("who").hidden = name !== "app";
}

/** Somebody has come, or gone. The page is shown once all of it is known, so that nothing moves. */
async function enter(session) {
  if (user !== undefined && session?.user.id === user?.id) return;
  const before = user;
  looking?.stop();
  looking = null;
  user = session?.user ?? null;
  standing.forget();
  if (!user) {
    hush();
    reveal("welcome");
    if (before) byId("main").focus();
    return signIn.show(returning.invitation());
  }
  const entered = user;
  setText(byId("email"), user.email ?? "");
  setText(byId("loading-words"), returning.finishes() ? "Finishing the connection …" : "Loading …");
  reveal("loading");
  // The form that had the focus is gone.
  if (before === null) byId("main").focus();
  await learning;
  const finished = await returning.use();
  if (user !== entered) return;
  if (wished()) await connect(null, wished());
  looking = keepLooking({
    client: api.client,
    user_id: user.id,
    realtime: !local,
    look,
    onLive: (live) => setText(byId("live"), live ? "live" : "every 2 s"),
  });
  await looking.first;
  if (choice.chosen()?.status === "active") search.search();
  if (!finished) return;
  say(`${nameOf(finished)} is connected.`);
  cards.focus(finished.id);
}

/** The login is over: nothing of the page is lost but the right to ask. */
async function endLogin(error) {
  await api.client.auth.signOut({ scope: "local" });
  enter(null);
  if (!error) return;
  signIn.show(error);
  signIn.focus();
}

byId("connect").addEventListener("click", ({ currentTarget }) => connect(currentTarget, offer.names()[0]));
byId("add").addEventListener("click", ({ currentTarget }) => connect(currentTarget));
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

/** Where it cannot be learnt, whoever wants to connect asks again and is told why. */
const learning = offer.learn().catch(() => {});
await followLogin();
// Later, because supabase-js holds its lock while it tells.
api.client.auth.onAuthStateChange(() => setTimeout(followLogin));
addEventListener("storage", followLogin);
