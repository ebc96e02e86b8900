/** The page: sign in, connect Pipedrive once, search. It never sees a token of Pipedrive's. */

import { sentenceFor } from "./sentences.js";

/** Where this tab keeps what only it may know while the browser is at Pipedrive. */
const BINDING = "oauth-binding";

const byId = (id) => document.getElementById(id);
const back = readReturn();
const { api_url, publishable_key } = await (await fetch("/config.json")).json();
const client = globalThis.supabase.createClient(api_url, publishable_key, {
  auth: { detectSessionInUrl: false },
});

/** Takes what the redirect brought out of the address bar, where a bookmark or a history would keep it. */
function readReturn() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const found = { ticket: fragment.get("oauth_ticket"), error: fragment.get("oauth_error") };
  if (found.ticket || found.error) history.replaceState(null, "", location.pathname + location.search);
  return found;
}

/** Calls a function; its error becomes an Error with the documented code. */
async function call(path, body) {
  const { data, error } = await client.functions.invoke(path, { body });
  if (!error) return data;
  const answer = await error.context?.json?.().catch(() => null);
  throw Object.assign(new Error(answer?.message ?? error.message), { code: answer?.code, answer });
}

function say(text, bad = false) {
  byId("notice").textContent = text;
  byId("notice").classList.toggle("bad", bad);
  byId("notice").hidden = text === "";
}

/** Runs an action of the user's: its button waits, and whatever goes wrong is said in a sentence. */
async function act(button, action) {
  if (button) button.disabled = true;
  say("");
  try {
    await action();
  } catch (error) {
    say(sentenceFor(error.code, error), true);
  } finally {
    if (button) button.disabled = false;
  }
}

async function connect() {
  const { authorization_url, binding } = await call("oauth-callback/pipedrive/authorize", {
    return_to: location.pathname,
  });
  sessionStorage.setItem(BINDING, binding);
  location.assign(authorization_url);
}

/** Finishes what this tab began. The ticket is good once, for the user who began, with this tab's binding. */
async function complete(ticket) {
  const binding = sessionStorage.getItem(BINDING);
  if (!binding) throw Object.assign(new Error(), { code: "AUTHORIZATION_REQUEST_INVALID" });
  const { connection } = await call("oauth-callback/pipedrive/complete", { ticket, binding });
  sessionStorage.removeItem(BINDING);
  say(`Connected to ${connection.account.name ?? connection.account.id}.`);
}

async function disconnect(id) {
  await call("oauth-callback/pipedrive/disconnect", { connection_id: id });
  byId("persons").replaceChildren();
  await show();
  say("Disconnected. Pipedrive has been told, and the tokens are erased.");
}

async function search(form) {
  const { term, connection_id } = Object.fromEntries(new FormData(form));
  const { data } = await call("search-persons", { term, ...(connection_id && { connection_id }) });
  const persons = data.items.map(({ item }) => line(item.name, describe(item)));
  byId("persons").replaceChildren(...persons);
  if (persons.length === 0) say(`Nobody matches “${term}”.`);
}

function describe(person) {
  const parts = [person.organization?.name, person.emails?.[0], person.phones?.[0]];
  return parts.filter(Boolean).join(" · ");
}

/** A list's entry: always as text, because names come from elsewhere. */
function line(title, detail, button) {
  const entry = document.createElement("li");
  const words = document.createElement("span");
  const small = document.createElement("small");
  words.textContent = title;
  small.textContent = detail;
  words.append(small);
  entry.append(words, ...(button ? [button] : []));
  return entry;
}

function connectionLine(connection) {
  const button = document.createElement("button");
  button.className = "plain";
  button.textContent = "Disconnect";
  button.addEventListener("click", () => act(button, () => disconnect(connection.id)));
  const since = new Date(connection.created_at).toLocaleDateString();
  const state = connection.status === "active" ? `since ${since}` : "must be connected again";
  const { name, id, email } = connection.account;
  return line(name ?? id, [email, state].filter(Boolean).join(" · "), button);
}

/** Shows what fits: signed in or not, connected or not. */
async function show() {
  const { data: { session } } = await client.auth.getSession();
  byId("who").hidden = !session;
  byId("sign-in").hidden = Boolean(session);
  byId("email").textContent = session?.user.email ?? "";
  const connections = session ? await readConnections() : [];
  const active = connections.filter(({ status }) => status === "active");
  byId("connections").hidden = connections.length === 0;
  byId("connection-list").replaceChildren(...connections.map(connectionLine));
  byId("connect").hidden = !session || active.length > 0;
  byId("search").hidden = active.length === 0;
  byId("which").hidden = active.length < 2;
  const names = active.map(({ id, account }) => new Option(account.name ?? account.id, id));
  byId("search-form").connection_id.replaceChildren(...names);
}

async function readConnections() {
  const { data, error } = await client.from("oauth_connections").select().neq("status", "disconnected")
    .order("created_at");
  if (error) throw error;
  return data;
}

/** What the redirect brought is used once somebody is signed in; until then it waits. */
async function useReturn() {
  if (back.error) throw Object.assign(new Error(), { code: take("error") });
  const { data: { session } } = await client.auth.getSession();
  if (!back.ticket) return;
  if (session) await complete(take("ticket"));
  else say("Sign in to finish connecting.");
}

function take(name) {
  const value = back[name];
  back[name] = null;
  return value;
}

byId("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    const credentials = Object.fromEntries(new FormData(event.target));
    const up = event.submitter?.value === "up";
    const { error } = up
      ? await client.auth.signUp(credentials)
      : await client.auth.signInWithPassword(credentials);
    if (error) throw error;
    event.target.reset();
    await useReturn();
    await show();
  });
});
byId("sign-out").addEventListener("click", (event) =>
  act(event.target, async () => {
    await client.auth.signOut();
    byId("persons").replaceChildren();
    await show();
  }));
byId("connect-button").addEventListener("click", (event) => act(event.target, connect));
byId("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    try {
      await search(event.target);
    } catch (error) {
      // The connection may have ended at Pipedrive's side.
      await show();
      throw error;
    }
  });
});

await act(null, useReturn);
await show().catch((error) => say(sentenceFor(error.code, error), true));
