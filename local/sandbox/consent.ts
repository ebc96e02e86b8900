import { type Account, ACCOUNTS, keyOf } from "./accounts.ts";
import { dialogPage, escapeHtml, nameOf } from "./dialog.ts";
import type { World } from "./world.ts";

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  base: "Read your name, e-mail and company",
  "contacts:read": "Read your persons and organizations",
  "contacts:full": "Create, read, change and delete your contacts",
  "search:read": "Search through your data",
};

/** The dialog a user sees: who asks, for what, and for which of their companies. Works without scripts. */
export function consentPage(world: World): Response {
  const { client_id } = world.registration;
  const scopes = world.switches.scopes.map(scopeItem).join("");
  const users = ACCOUNTS.map(userChoice).join("");
  return dialogPage(
    client_id,
    `<h1>${escapeHtml(nameOf(client_id))} asks for access to your Pipedrive account</h1>
<h2>It will be able to</h2>
<ul>${scopes}</ul>
<form method="post">
<fieldset><legend>Install for</legend><div class="choices">${users}</div></fieldset>
<div class="buttons">
<button name="decision" value="cancel" type="submit">Cancel</button>
<button name="decision" value="allow" type="submit" class="allow">Allow and install</button>
</div>
</form>`,
  );
}

function scopeItem(scope: string): string {
  const text = SCOPE_TEXTS[scope];
  const code = `<code>${escapeHtml(scope)}</code>`;
  return `<li><span>${text ?? "Something of its own"}</span> ${code}</li>`;
}

function userChoice(account: Account, index: number): string {
  const checked = index === 0 ? " checked" : "";
  return `<label><input type="radio" name="user" value="${keyOf(account)}"${checked}>` +
    `<span>${escapeHtml(account.company_name)}` +
    `<small>${escapeHtml(account.name)} · ${escapeHtml(account.email)}</small></span></label>`;
}
