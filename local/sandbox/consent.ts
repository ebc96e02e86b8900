import { type Account, ACCOUNTS, keyOf } from "./accounts.ts";
import { STYLE } from "./consent_style.ts";
import type { World } from "./world.ts";

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  base: "Read your name, e-mail and company",
  "contacts:read": "Read your persons and organizations",
  "contacts:full": "Create, read, change and delete your contacts",
  "search:read": "Search through your data",
};

/** The dialog a user sees: who asks, for what, and for which of their companies. Works without scripts. */
export function consentPage(world: World): Response {
  const nonce = crypto.randomUUID();
  const { client_id } = world.registration;
  const name = escapeHtml(nameOf(client_id));
  const scopes = world.switches.scopes.map(scopeItem).join("");
  const users = ACCOUNTS.map(userChoice).join("");
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Install ${escapeHtml(client_id)} – Pipedrive sandbox</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header><p class="note"><strong>Sandbox.</strong> This is not Pipedrive. All companies and people here are invented.</p></header>
<main>
<div class="card">
<div class="parties" aria-hidden="true">
<span class="tile">${escapeHtml(initial(client_id))}</span>⇄<span class="tile provider">P</span>
</div>
<h1>${name} asks for access to your Pipedrive account</h1>
<h2>It will be able to</h2>
<ul>${scopes}</ul>
<form method="post">
<fieldset><legend>Install for</legend><div class="choices">${users}</div></fieldset>
<div class="buttons">
<button name="decision" value="cancel" type="submit">Cancel</button>
<button name="decision" value="allow" type="submit" class="allow">Allow and install</button>
</div>
</form>
</div>
</main>
</body>
</html>
`;
  return new Response(page, { headers: pageHeaders(nonce) });
}

/** No form-action: browsers hold it against every redirect that follows the form, and those lead to the client. */
function pageHeaders(nonce: string): Record<string, string> {
  return {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy":
      `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
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

/** A client here has an id and no name: "local-stack" reads as "Local stack". */
function nameOf(client_id: string): string {
  return initial(client_id) + client_id.slice(1).replaceAll("-", " ");
}

function initial(text: string): string {
  return text.charAt(0).toUpperCase();
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
