/** @jsxImportSource react */
/// <reference lib="dom" />
import { useEffect, useState } from "react";
import type { SupabaseClient } from "@supabase/supabase-js";
import * as pipedrive from "../typescript/pipedrive.ts";

export function Pipedrive({ supabase }: { supabase: SupabaseClient }) {
  const [connection, setConnection] = useState<pipedrive.Connection>();
  const [persons, setPersons] = useState<pipedrive.Person[]>([]);
  const [trouble, setTrouble] = useState("");
  const act = (action: () => Promise<void>) => {
    setTrouble("");
    action().catch((error) =>
      setTrouble(error.code === "AUTHORIZATION_DENIED" ? "Not allowed" : error.message)
    );
  };
  useEffect(() => {
    const { hash, pathname } = location;
    history.replaceState(null, "", pathname);
    act(async () => {
      await pipedrive.complete(supabase, hash);
      setConnection((await pipedrive.connections(supabase)).find(({ status }) => status === "active"));
    });
  }, [supabase]);
  const connect = async () => location.assign(await pipedrive.connect(supabase, location.pathname));
  const disconnect = (id: string) => pipedrive.disconnect(supabase, id).then(() => setConnection(undefined));
  const search = async (term: string) =>
    setPersons((await pipedrive.search(supabase, { term })).data.items.map(({ item }) => item));
  if (!connection) return <button type="button" onClick={() => act(connect)}>Connect {trouble}</button>;
  return (
    <form action={(form) => act(() => search(String(form.get("term"))))}>
      <input name="term" placeholder={connection.account.name} minLength={2} required /> {trouble}
      <button type="button" onClick={() => act(() => disconnect(connection.id))}>Disconnect</button>
      <ul>{persons.map(({ id, name }) => <li key={id}>{name}</li>)}</ul>
    </form>
  );
}
