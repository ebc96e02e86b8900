/** Knowing what is new: asked again and again, or told by Realtime where the project has it on. */

const POLLED_MS = 2_000;
/** With Realtime telling, asking is only for what a broken line swallowed. */
const TOLD_MS = 30_000;

/**
 * Calls `look` at once, when Realtime tells, when the page is looked at again, and at intervals while it is.
 *
 * @param realtime whether to try; a project has it on after `select oauth.start_live_events()`
 * @param onLive told whether Realtime is on
 * @returns `first`, the first look; `now()`, which looks at once; `stop()`
 */
export function keepLooking({ client, user_id, realtime, look, onLive }) {
  let timer;
  let live = false;
  let stopped = false;
  let looking = null;

  const now = () => {
    clearTimeout(timer);
    looking ??= look().finally(() => {
      looking = null;
      if (!stopped && document.visibilityState === "visible") {
        timer = setTimeout(now, live ? TOLD_MS : POLLED_MS);
      }
    });
    return looking;
  };
  const seen = () => document.visibilityState === "visible" ? now() : clearTimeout(timer);
  document.addEventListener("visibilitychange", seen);

  const channel = realtime ? client.channel(`oauth_events:${user_id}`, { config: { private: true } }) : null;
  channel?.on("broadcast", { event: "*" }, now).subscribe((status) => {
    live = status === "SUBSCRIBED";
    onLive(live);
    // Refused or unreachable: this project has it off, and asking does.
    if (status === "CHANNEL_ERROR" || status === "TIMED_OUT") client.removeChannel(channel);
    if (live) now();
  });
  return {
    first: now(),
    now: () => looking ? looking.then(now) : now(),
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      if (channel) client.removeChannel(channel);
    },
  };
}
