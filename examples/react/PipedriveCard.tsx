import { useId, useRef } from "react";
import type { State, usePipedrive } from "./usePipedrive";

const SENTENCES: Record<State, string> = {
  loading: "Looking for your connection…",
  not_connected: "Pipedrive is not connected.",
  connecting: "Connecting…",
  connected: "Pipedrive is connected.",
  connect_again: "Pipedrive has ended this connection. Connect again.",
  several: "Several accounts are connected.",
  disconnected: "Pipedrive is disconnected.",
};
const TROUBLES: Record<string, string> = {
  AUTHORIZATION_DENIED: "You did not allow the access.",
  POPUP_BLOCKED: "Your browser blocked the window. Allow it for this page.",
};

/** `<PipedriveCard {...usePipedrive(supabase)} />`, styled by the page it stands on. */
export function PipedriveCard(
  { state, connections, error, connect, disconnect }: ReturnType<typeof usePipedrive>,
) {
  const title = useId();
  const sentence = useRef<HTMLParagraphElement>(null);
  const busy = state === "connecting" || (state === "loading" && !error);
  const begin = () => void (busy || connect());
  const end = async (id: string) => {
    await disconnect(id);
    // Its button has gone.
    sentence.current?.focus();
  };
  return (
    <section aria-labelledby={title} aria-busy={busy}>
      <h2 id={title}>Pipedrive</h2>
      <p role="status" tabIndex={-1} ref={sentence}>{SENTENCES[state]}</p>
      <p role="alert">{error && (TROUBLES[error.code] ?? error.message)}</p>
      <ul aria-label="Connected accounts" hidden={connections.length === 0}>
        {connections.map(({ id, status, account: { name = "An account", email } }) => (
          <li key={id}>
            {name} {email}{" "}
            {status !== "active" && (
              <button type="button" aria-disabled={busy} onClick={begin}>Connect {name} again</button>
            )} <button type="button" onClick={() => void end(id)}>Disconnect {name}</button>
          </li>
        ))}
      </ul>
      <button type="button" aria-disabled={busy} onClick={begin}>
        {connections.length > 0 ? "Connect another account" : "Connect Pipedrive"}
      </button>
    </section>
  );
}
