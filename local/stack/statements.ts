/** What a semicolon does not end a statement in: comments, quoted text and names, dollar quotes. */
const OPAQUE = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1/y;

/** The statements of an SQL script, as the CLI's history records them: trimmed, without their semicolons. */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let from = 0;
  for (let at = 0; at < script.length;) {
    OPAQUE.lastIndex = at;
    const opaque = OPAQUE.exec(script);
    if (opaque !== null) {
      at = OPAQUE.lastIndex;
      continue;
    }
    if (script[at] === ";") {
      statements.push(script.slice(from, at));
      from = at + 1;
    }
    at++;
  }
  statements.push(script.slice(from));
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}
