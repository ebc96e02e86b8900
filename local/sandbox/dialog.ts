import { STYLE } from "./consent_style.ts";

/** A page of the sandbox's, about one client and Pipedrive. Works without scripts. */
export function dialogPage(client_id: string, content: string): Response {
  const nonce = crypto.randomUUID();
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
${content}
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

/** A client here has an id and no name: "local-stack" reads as "Local stack". */
export function nameOf(client_id: string): string {
  return initial(client_id) + client_id.slice(1).replaceAll("-", " ");
}

function initial(text: string): string {
  return text.charAt(0).toUpperCase();
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
