import type { Provider } from "../oauth/provider.ts";
import { airtable } from "./airtable.ts";
import { atlassian } from "./atlassian.ts";
import { github } from "./github.ts";
import { google } from "./google.ts";
import { hubspot } from "./hubspot.ts";
import { linkedin } from "./linkedin.ts";
import { microsoft } from "./microsoft.ts";
import { notion } from "./notion.ts";
import { pipedrive } from "./pipedrive.ts";
import { quickbooks } from "./quickbooks.ts";
import { salesforce } from "./salesforce.ts";
import { slack } from "./slack.ts";
import { xero } from "./xero.ts";
import { zendesk } from "./zendesk.ts";
import { zoho } from "./zoho.ts";

/** Every provider that a deployment can offer, by name; those whose settings are there it does. A map, so that `__proto__` names none. */
export const providers: ReadonlyMap<string, Provider> = new Map(
  [
    airtable,
    atlassian,
    github,
    google,
    hubspot,
    linkedin,
    microsoft,
    notion,
    pipedrive,
    quickbooks,
    salesforce,
    slack,
    xero,
    zendesk,
    zoho,
  ].map((provider) => [provider.name, provider]),
);
