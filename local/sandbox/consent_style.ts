/** The consent page's look: a provider's dialog, in its own green, and never without the word "sandbox". */
export const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#f1f3f5,#121416);--surface:light-dark(#fff,#1a1d20);
--ink:light-dark(#192027,#eceef0);--soft:light-dark(#56606c,#a7aeb8);--line:light-dark(#dde1e6,#32373d);
--green:light-dark(#017737,#4ecb83);--wash:light-dark(#eff8f3,#15271d);--on-green:light-dark(#fff,#05150b);
--note:light-dark(#6b4a00,#f0c674);--note-wash:light-dark(#fff4d9,#2b2312)}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);
font:15px/1.5 Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.note{margin:0;padding:8px 24px;background:var(--note-wash);color:var(--note);font-size:14px;text-align:center}
main{width:100%;max-width:520px;margin:auto;padding:32px 24px}
.card{padding:32px;border:1px solid var(--line);border-radius:14px;background:var(--surface);
box-shadow:0 8px 30px light-dark(#10182814,#0008)}
.parties{display:flex;align-items:center;justify-content:center;gap:14px;color:var(--soft)}
.tile{display:grid;place-items:center;width:52px;height:52px;border:1px solid var(--line);border-radius:14px;
font-size:22px;font-weight:700;color:var(--ink);background:var(--ground)}
.tile.provider{border-color:var(--green);background:var(--green);color:var(--on-green)}
h1{margin:20px 0 24px;font-size:20px;line-height:1.35;font-weight:600;letter-spacing:-.01em;text-align:center;
text-wrap:balance;overflow-wrap:anywhere}
h2,legend{margin:0 0 8px;padding:0;font-size:13px;font-weight:600;color:var(--soft)}
ul{margin:0 0 24px;padding:0;list-style:none;display:grid;gap:8px}
li{display:flex;gap:10px;align-items:baseline;justify-content:space-between}
li::before{content:"\\2713";color:var(--green);font-weight:700}
li span{flex:1}
code{font:12px/1.5 ui-monospace,Menlo,"DejaVu Sans Mono",monospace;color:var(--soft)}
fieldset{margin:0;padding:0;border:0;min-width:0}
.choices{border:1px solid var(--line);border-radius:10px;overflow:hidden}
label{display:flex;gap:12px;align-items:center;padding:9px 14px;cursor:pointer}
label+label{border-top:1px solid var(--line)}
label:has(input:checked){background:var(--wash)}
label:has(input:focus-visible){outline:2px solid var(--green);outline-offset:-2px}
input{flex:none;width:16px;height:16px;margin:0;accent-color:var(--green)}
label span{min-width:0;font-weight:500}
label small{display:block;font-size:13px;font-weight:400;color:var(--soft);overflow-wrap:anywhere}
.buttons{display:grid;grid-template-columns:1fr 2fr;gap:12px;margin-top:24px}
button{font:inherit;font-weight:600;min-height:44px;padding:8px 18px;border-radius:10px;border:1px solid var(--line);
background:var(--surface);color:var(--ink);cursor:pointer}
a.allow{display:grid;place-items:center;min-height:44px;border:1px solid;border-radius:10px;font-weight:600;text-decoration:none}
a.allow:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
.small{margin:0;font-size:13px;color:var(--soft);text-align:center;overflow-wrap:anywhere}
.allow{background:var(--green);border-color:var(--green);color:var(--on-green)}
button:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
@media (max-width:480px){main{padding:16px}.card{padding:24px 20px}li{flex-wrap:wrap}}
`;
