import type { Call } from "../../supabase/functions/proxy/policy.ts";
import type { Draw } from "../chaos/seeded.ts";
import { LISTED } from "./lists.ts";

/** What an application sends, and other ways to write what a line names. */
const PLAIN = [
  ...["7", "8421", "a.b", "main...dev", "jane%40acme.example", "J%C3%BCrgen", "a%20b", ".env", "(id='7')"],
  ...["~", "*", "**", "x:send", "%e3%81%82", "a,b=c&d!$", "a+b", "%5b0%5d", "[0]", "|", "products", "deals"],
  ...["purge", "PURGE", "purg%65", "purge.json", "purge.", "purge%20", "%ef%bd%90urge", "purge%e2%80%8b"],
  ...["rebuild", "r%65build", "Rebuild", "rebuild.xml", "touch", "TOUCH", "touc%68", "touch..json", "purges"],
];

/** What some server reads as something else than it looks. */
const NASTY = [
  // Dots, encoded once, twice, too long, as their look-alikes, and with what some server takes away.
  ...[".", "..", "...", "%2e", "%2E%2e", ".%2e", "%2e.", "%2e%2e%2e", "%252e%252e", "%c0%ae%c0%ae"],
  ...["%e0%80%ae", "%f0%80%80%ae%f0%80%80%ae", "%ef%bc%8e%ef%bc%8e", "%e2%80%a5", "%u002e%u002e", "..%20"],
  ...[".%20", "..%00", "..%09", ".%09.", "..;", "..%3b", "..;x=1", ".%e2%80%8b.", "%c2%ad..", "\uff0e\uff0e"],
  ...["%e3%80%82%e3%80%82"],
  // Slashes.
  ...["/", "//", "\\", "%2f", "%2F", "%5c", "%5C", "%252f", "%255c", "%c0%af", "%e0%80%af", "%ef%bc%8f"],
  ...["%ef%bc%bc", "%e2%88%95", "%e2%81%84", "%c2%a5", "%c2%bd", "%u2215", "/./", "/../", "\\..\\"],
  ...["%2f..%2f", "%5c..%5c"],
  // Where a path may end too early.
  ...["?", "#", "%3f", "%23", "%3fx", "%23x", ";", ";x=1", "%3b", "%3Bx", "%cd%be", "%ef%bc%9f", "%00"],
  // What is cut off, left out or refused.
  ...["%0a", "%0d%0aHost:%20evil.example", "%09", "%7f", "%1f", "%c2%85", "%e2%80%a8", "\t", "\n", "\0", " "],
  ...["%20", "%c2%a0", "%e2%80%8b", "%ef%bb%bf", "%", "%2", "%zz", "%25", "%2525", "%ff", "%ed%a0%80"],
  ...["%ef%bc%85", "%c1%9f", "%ef%bc%852e", "%ef%bc%8f..", "%e2%84%80", "\u00e9", "\ud800", '"', "<", ">"],
  ...["`", "{id}", "^", "@evil.example", ":443", "//evil.example", "\\\\evil.example"],
  ...["https://evil.example/", "%00x"],
];

const NAMES = [
  ...["limit", "fields[]", "filter[name]", "page_token", "$filter", "q", "sort", "", "a.b", "callback"],
  ...["access_token", "Access_Token", "api_token", "apikey", "api_key", "token", "oauth_token"],
  ...["client_secret", "_method", "_METHOD", "x-http-method-override", "access%5ftoken", "%61ccess_token"],
  ...["access_token%5b%5d", "access_token[]", "access_token[0]", "[access_token]", "]access_token"],
  ...["access[token", "access.token", "access+token", "+access_token", "access%20token", "access_token%00"],
  ...["access%255ftoken", "access%c1%9ftoken", "access%u005ftoken", "%ef%bd%81ccess_token", ".method"],
  ...["_method[]", "%5fmethod"],
];
const VALUES = [
  ...["1", "", "name", "a%20b", "a+b", "%c3%bc", "a;b", "a?b", "%zz", "%ff"],
  ...["a;token=x", "x'y", "\u00e9", "#x"],
];

function segment(draw: Draw): string {
  const kind = draw();
  if (kind < 0.55) return draw.one(PLAIN);
  if (kind < 0.8) return draw.one(NASTY);
  const piece = () => draw.one(draw() < 0.4 ? PLAIN : NASTY);
  return draw() < 0.5 ? piece() + piece() : piece() + piece() + piece();
}

function segments(draw: Draw, most: number): string {
  return Array.from({ length: 1 + Math.floor(draw() * most) }, () => segment(draw)).join("/");
}

/** A name in other letters, or with one of them encoded without need. */
function otherwise(draw: Draw, name: string): string {
  if (name === "") return name;
  return draw() < 0.5 ? name.toUpperCase() : `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
}

/** A line's path with its stars filled, and now and then more done to it. */
function pathLike(draw: Draw, line: string): string {
  const filled = line.split("/").map((own) => {
    if (own === "*") return segment(draw);
    if (own === "**") return segments(draw, 3);
    const changed = draw();
    if (changed < 0.03) return segment(draw);
    return changed < 0.06 ? otherwise(draw, own) : own;
  });
  const path = filled.join("/");
  const more = draw();
  if (more < 0.75) return path;
  if (more < 0.8) return `${path}/`;
  if (more < 0.85) return `${path}/${segments(draw, 2)}`;
  if (more < 0.9) return path.slice(1);
  const at = Math.floor(draw() * (path.length + 1));
  return path.slice(0, at) + draw.one(NASTY) + path.slice(at);
}

function pathOf(draw: Draw, line: string): string {
  if (draw() < 0.9) return pathLike(draw, line);
  const pieces = Array.from({ length: Math.floor(draw() * 7) }, () => segment(draw));
  return draw.one(["/", "", "\\", "//"]) + pieces.join(draw.one(["/", "//", "\\", "%2f"]));
}

function searchOf(draw: Draw): string {
  if (draw() < 0.7) return "";
  const parameter = () => draw.one(NAMES) + draw.one(["=", "=", "=", ""]) + draw.one(VALUES);
  const parameters = Array.from({ length: 1 + Math.floor(draw() * 3) }, parameter);
  return draw.one(["?", "?", "?", "?", "", "??"]) + parameters.join(draw.one(["&", "&", ";", "&&"]));
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get"];

/** A call that is close to some line, and seldom what it says. */
export function drawCall(draw: Draw): Call {
  const { caller: own, method, base, path } = draw.one(LISTED);
  const caller = own !== "anybody" && draw() < 0.85 ? own : draw.one(["user", "secret"] as const);
  const named = draw() < 0.9 ? base : draw.one(["", "files", "file", "https"]);
  return {
    caller,
    provider: draw() < 0.98 ? "acme" : draw.one(["Acme", "acm", "", "__proto__"]),
    method: draw() < 0.8 ? method : draw.one(METHODS),
    base: named === "" ? undefined : named,
    path: pathOf(draw, path),
    search: searchOf(draw),
  };
}
