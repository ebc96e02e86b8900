/**
 * Fifteen providers as the stand-in plays them, each in a file. What a line is worth stands beside it: `documented` by
 * the provider, in a public `catalogue`, or `unverified`. Nothing here comes from a definition of ours.
 */
import { airtable } from "./facts/airtable.ts";
import { atlassian } from "./facts/atlassian.ts";
import { github } from "./facts/github.ts";
import { google } from "./facts/google.ts";
import { hubspot } from "./facts/hubspot.ts";
import { linkedin, linkedinPartner } from "./facts/linkedin.ts";
import { microsoft } from "./facts/microsoft.ts";
import { notion } from "./facts/notion.ts";
import { pipedrive } from "./facts/pipedrive.ts";
import { quickbooks } from "./facts/quickbooks.ts";
import { salesforce } from "./facts/salesforce.ts";
import { slack } from "./facts/slack.ts";
import { xero } from "./facts/xero.ts";
import { zendesk } from "./facts/zendesk.ts";
import { zoho } from "./facts/zoho.ts";
import type { Facts } from "./types.ts";

export { CLIENT, redirectUri } from "./client.ts";
export { linkedinPartner };
export type { Facts };

const ALL: readonly Facts[] = [
  pipedrive,
  hubspot,
  salesforce,
  zoho,
  google,
  microsoft,
  slack,
  notion,
  github,
  xero,
  quickbooks,
  linkedin,
  zendesk,
  airtable,
  atlassian,
];

/** By the provider's name. */
export const FACTS: ReadonlyMap<string, Facts> = new Map(ALL.map((facts) => [facts.name, facts]));

/** @throws {Error} where nothing is known of that provider */
export function factsOf(name: string): Facts {
  const facts = FACTS.get(name);
  if (facts === undefined) throw new Error(`the stand-in has no facts of "${name}"`);
  return facts;
}
