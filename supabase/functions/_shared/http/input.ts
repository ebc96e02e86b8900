import * as v from "valibot";
import { decodeUtf8, isObject, parseJson, readBounded } from "../bytes.ts";
import { PublicError } from "../errors.ts";
import { type Clock, systemClock, withPatience } from "../time.ts";

/** The largest of our request bodies is a search; 16 KiB is ten times that. */
const MAX_BODY_BYTES = 16 * 1024;

/** A connection's id. Lower case, because a seal is bound to the id as the database writes it. */
export const connectionId = v.pipe(v.string(), v.uuid("must be a UUID"), v.toLowerCase());

/** By then the whole body must be there: 16 KiB need no longer, however slow the line. */
const BODY_MS = 5_000;

/** How much of a body is taken, in bytes, and how long it may take, in milliseconds. */
interface BodyLimits {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * The body, whole. Checked on what is announced, so that nothing is read in vain, and on what arrives, because the
 * announcement may be wrong or missing.
 *
 * @throws {PublicError} `INVALID_REQUEST` if it is too large, breaks off, or is not there in time
 */
export async function readBody({ headers, body }: Request, limits: BodyLimits, clock: Clock = systemClock) {
  const tooLarge = () => invalid(`the body is larger than ${limits.bytes / 1024} KiB`);
  if (Number(headers.get("content-length")) > limits.bytes) throw tooLarge();
  const reading = new AbortController();
  const arriving = body?.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), reading) ?? null;
  const whole = readBounded(arriving, limits.bytes).catch(() => {
    throw invalid("the body broke off");
  });
  const bytes = await withPatience(clock, limits.ms, whole, () => {
    reading.abort();
    throw invalid(`the body did not arrive within ${limits.ms / 1000} seconds`);
  });
  if (bytes === null) throw tooLarge();
  return bytes;
}

/**
 * The body as a JSON object. Only who calls this waits for a body, and by then it is known who sends it.
 *
 * @param empty what an empty body means; left out, it is refused
 * @throws {PublicError} `INVALID_REQUEST`
 */
export async function readJson(
  request: Request,
  { empty, clock = systemClock }: {
    readonly empty?: Readonly<Record<string, unknown>>;
    readonly clock?: Clock;
  } = {},
): Promise<unknown> {
  const text = decodeUtf8(await readBody(request, { bytes: MAX_BODY_BYTES, ms: BODY_MS }, clock));
  if (text === undefined) throw invalid("the body is not UTF-8");
  if (text.trim() === "") {
    if (empty) return empty;
    throw invalid("the body is empty");
  }
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw invalid("the content type must be application/json");
  const body = parseJson(text);
  if (body === undefined) throw invalid("the body is not valid JSON");
  if (!isObject(body)) throw invalid("the body must be a JSON object");
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

function invalid(message: string, reason?: string): PublicError {
  return new PublicError("INVALID_REQUEST", message, { reason });
}
