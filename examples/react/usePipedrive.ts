import { useCallback, useEffect, useState } from "react";
import type { SupabaseClient } from "@supabase/supabase-js";
import * as pipedrive from "./pipedrive";

export type State =
  | "loading"
  | "not_connected"
  | "connecting"
  | "connected"
  | "connect_again"
  | "several"
  | "disconnected";

/** The signed-in user's connections, and what can be done with them. One per page: it completes what was begun. */
export function usePipedrive(supabase: SupabaseClient, { popup = false } = {}) {
  const [all, setAll] = useState<readonly pipedrive.Connection[]>();
  const [connecting, setConnecting] = useState(false);
  const [error, setError] = useState<pipedrive.PipedriveError>();
  const connections = all?.filter(({ status }) => status !== "disconnected") ?? [];

  const act = useCallback(async (action: () => Promise<unknown>) => {
    await action().catch(setError);
    await pipedrive.connections(supabase).then(setAll, setError);
  }, [supabase]);

  useEffect(() => {
    void act(() => pipedrive.complete(supabase));
    // Back from the consent page by the browser's button, the page may be as it was left.
    const shown = () => setConnecting(false);
    addEventListener("pageshow", shown);
    return () => removeEventListener("pageshow", shown);
  }, [supabase, act]);

  const fresh = (action: () => Promise<unknown>) => {
    setError(undefined);
    return act(action);
  };
  const leave = async () => {
    location.assign(await pipedrive.connect(supabase));
    // Nothing more happens here.
    await new Promise(() => {});
  };
  const connect = () => {
    setConnecting(true);
    const connected = () => popup ? pipedrive.connectInPopup(supabase) : leave();
    return fresh(connected).finally(() => setConnecting(false));
  };
  const disconnect = (id: string) => fresh(() => pipedrive.disconnect(supabase, id));
  const reload = () => fresh(() => Promise.resolve());

  return { state: stateOf(all, connections, connecting), connections, error, connect, disconnect, reload };
}

type Connections = readonly pipedrive.Connection[];

function stateOf(all: Connections | undefined, kept: Connections, connecting: boolean): State {
  if (connecting) return "connecting";
  if (all === undefined) return "loading";
  if (kept.length > 1) return "several";
  if (kept[0]) return kept[0].status === "active" ? "connected" : "connect_again";
  return all.length > 0 ? "disconnected" : "not_connected";
}
