/** What a check found: one line. */
export interface Finding {
  readonly state: "ok" | "wrong" | "not checked";
  readonly about: string;
  readonly says: string;
  /** Of what is wrong: the one thing to do. */
  readonly todo?: string;
}

export const ok = (about: string, says: string): Finding => ({ state: "ok", about, says });
export const wrong = (about: string, says: string, todo: string): Finding => ({
  state: "wrong",
  about,
  says,
  todo,
});
export const unchecked = (about: string, says: string): Finding => ({ state: "not checked", about, says });

/** For a check that only the CLI can make. */
export const needsLink = (about: string): Finding =>
  unchecked(about, "only the linked project tells: --linked");

/** Keys of Supabase, new and old; also the tokens of its users. */
const SECRET = /\bsb_secret_[\w-]+|\bsbp_\w+|\beyJ[\w.-]+/g;

/** One line without a secret, whatever an answer had in it. */
export function lineOf({ state, about, says, todo }: Finding): string {
  const line = `${state.padEnd(11)}  ${about.padEnd(18)}  ${says}${todo ? ` → ${todo}` : ""}`;
  return harmless(line);
}

/** What another program said, fit for a line. */
export function harmless(text: string): string {
  return text.replace(SECRET, "(a secret)").replace(/\p{Cc}+/gu, " ").trimEnd();
}
