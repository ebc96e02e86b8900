/**
 * The segments after the function's name. The platform passes the path with `/functions/v1` in front or without it,
 * depending on where it runs; both mean the same.
 */
export function pathAfter(request: Request, functionName: string): string[] {
  const segments = new URL(request.url).pathname.split("/").filter((segment) => segment !== "");
  const name = segments[0] === "functions" && segments[1] === "v1" ? 2 : 0;
  return segments[name] === functionName ? segments.slice(name + 1) : segments.slice(name);
}
