import * as v from "valibot";
import { PublicError } from "../errors.ts";

/** A connection's id. Lower case, because a seal is bound to the id as the database writes it. */
export const connectionId = v.pipe(v.string(), v.uuid("must be a UUID"), v.toLowerCase());

/**
 * The body as a JSON object.
 *
 * @param empty what an empty body means; left out, it is refused
 * @throws {PublicError} `INVALID_REQUEST`
 */
export async function readJson(
  request: Request,
  { empty }: { readonly empty?: Readonly<Record<string, unknown>> } = {},
): Promise<unknown> {
  const text = decode(await request.arrayBuffer());
  if (text.trim() === "") {
    if (empty) return empty;
    throw invalid("the body is empty");
  }
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw invalid("the content type must be application/json");
  const body = parseJson(text);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("the body must be a JSON object");
  }
  return body;
}

/**
 * What the schema makes of the input. Schemas are strict objects, so that an unknown key is refused by its name.
 *
 * @throws {PublicError} `INVALID_REQUEST` naming the first field that does not fit, never repeating its value
 */
export function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, {
    abortEarly: true,
    message: (issue) => `must be ${issue.expected ?? "valid"}`,
  });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const field = path === null ? "the body" : `"${path.slice(0, MOST_SHOWN)}"`;
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw invalid(`${field} is not a known field`, "an unknown field");
  }
  throw invalid(`${field} ${issue.received === "undefined" ? "is required" : issue.message}`);
}

/** Characters of a name chosen by the caller that a message repeats. */
const MOST_SHOWN = 40;

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("the body is not UTF-8");
  }
}

/** The parser's own message is not passed on: it quotes the body. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("the body is not valid JSON");
  }
}

function invalid(message: string, reason?: string): PublicError {
  return new PublicError("INVALID_REQUEST", message, { reason });
}
