import { ACCOUNTS, keyOf } from "./accounts.ts";
import type { World } from "./world.ts";
import type { Account } from "./types.ts";

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  base: "Read your name, e-mail address and company",
  "contacts:read": "Read your contacts: persons and organizations",
  "contacts:full": "Create, read, change and delete your contacts",
  "search:read": "Search through your data",
};

const STYLE = `
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:#eef0f3;color:#1c2430;
font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:460px;background:#fff;border-radius:12px;padding:32px;box-shadow:0 2px 24px #1c243018}
.note{margin:0 0 20px;padding:8px 12px;border-radius:6px;background:#fff4d6;color:#5c4500;font-size:14px}
h1{margin:0 0 8px;font-size:22px;line-height:1.3;overflow-wrap:anywhere}
h2,legend{margin:24px 0 8px;padding:0;font-size:14px;font-weight:600;color:#4a5568}
ul{margin:0;padding-left:20px}
code{font-size:13px;color:#4a5568}
fieldset{margin:0;padding:0;border:0}
label{display:flex;gap:12px;align-items:center;padding:10px 12px;border:1px solid #d5dae1;border-radius:8px;
margin-bottom:8px;cursor:pointer}
label:has(input:checked){border-color:#017737;background:#f1f9f4}
label:focus-within{outline:2px solid #017737;outline-offset:1px}
label small{display:block;color:#4a5568;overflow-wrap:anywhere}
.buttons{display:flex;gap:12px;justify-content:flex-end;margin-top:24px}
button{font:inherit;font-weight:600;padding:10px 18px;border-radius:8px;border:1px solid #b8c0cc;background:#fff;
color:#1c2430;cursor:pointer}
button.allow{background:#017737;border-color:#017737;color:#fff}
button:focus-visible{outline:2px solid #1c2430;outline-offset:2px}
`;

/** The dialog a user sees: who asks, for what, and for which of their companies. Works without scripts. */
export function consentPage(world: World): Response {
  const nonce = crypto.randomUUID();
  const client = escapeHtml(world.registration.client_id);
  const scopes = world.switches.scopes.map(scopeItem).join("");
  const users = ACCOUNTS.map(userChoice).join("");
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Install ${client} – Pipedrive sandbox</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<p class="note"><strong>Sandbox.</strong> This is not Pipedrive. All companies and people here are invented.</p>
<h1>${client} asks for access to your Pipedrive account</h1>
<h2>It will be able to</h2>
<ul>${scopes}</ul>
<form method="post">
<fieldset><legend>Install for</legend>${users}</fieldset>
<div class="buttons">
<button name="decision" value="cancel" type="submit">Cancel</button>
<button name="decision" value="allow" type="submit" class="allow">Allow and install</button>
</div>
</form>
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
  return `<li>${text === undefined ? code : `${text} ${code}`}</li>`;
}

function userChoice(account: Account, index: number): string {
  const checked = index === 0 ? " checked" : "";
  return `<label><input type="radio" name="user" value="${keyOf(account)}"${checked}>` +
    `<span>${escapeHtml(account.company_name)}` +
    `<small>${escapeHtml(account.name)} · ${escapeHtml(account.email)}</small></span></label>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
