/** Knowing what is new: asked again and again, or told by Realtime where the project has it on. */

const POLLED_MS = 2_000;
/** With Realtime telling, asking is only for what a broken line swallowed. */
const TOLD_MS = 30_000;

/**
 * Calls `look` at once, when Realtime tells, when the page is looked at again, and at intervals while it is.
 *
 * @param realtime whether to try; a project has it on after `select oauth.start_live_events()`
 * @param onLive told whether Realtime is on
 * @returns `first`, the first look; `now()`, a look that begins after this call; `stop()`
 */
export function keepLooking({ client, user_id, realtime, look, onLive }) {
  let timer;
  let live = false;
  let stopped = false;
  let looking = null;

  const begin = () => {
    clearTimeout(timer);
    looking ??= look().finally(() => {
      looking = null;
      if (!stopped && document.visibilityState === "visible") {
        timer = setTimeout(begin, live ? TOLD_MS : POLLED_MS);
      }
    });
    return looking;
  };
  const now = () => looking ? looking.then(begin) : begin();
  const seen = () => document.visibilityState === "visible" ? begin() : clearTimeout(timer);
  document.addEventListener("visibilitychange", seen);

  const first = begin();
  onLive(live);
  const leave = realtime && listen(client, `oauth_events:${user_id}`, now, (joined) => {
    live = joined;
    onLive(live);
    // What happened while nobody listened.
    now();
  });
  return {
    first,
    now,
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      if (leave) leave();
    },
  };
}

/**
 * Joins a private topic. A line that breaks is mended by supabase-js; one that never came about is given up.
 *
 * @param onNews called at every broadcast
 * @param onJoined told true when it is joined, false when the line breaks
 * @returns what leaves it
 */
function listen(client, topic, onNews, onJoined) {
  let joined = null;
  let left = false;
  const channel = client.channel(topic, { config: { private: true } });
  channel.on("broadcast", { event: "*" }, onNews);
  const leave = () => {
    left = true;
    client.removeChannel(channel);
  };
  // The user's login is what opens the topic.
  client.realtime.setAuth().then(() => {
    if (left) return;
    channel.subscribe((status) => {
      if (left) return;
      if (status === "SUBSCRIBED") onJoined(joined = true);
      else if (joined) onJoined(joined = false);
      else if (joined === null) leave();
    });
  });
  return leave;
}
