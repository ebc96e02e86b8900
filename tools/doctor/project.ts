/** A project as it is seen from outside. */
export interface Project {
  /** Without a slash at its end. */
  readonly url: string;
  readonly secret_key: string;
}

export interface Answer {
  readonly status: number;
  /** One of our functions gave it: all of theirs say what they took, a gateway's own do not. */
  readonly ours: boolean;
  /** Of an error; empty where there is none. */
  readonly code: string;
  readonly message: string;
  readonly body: unknown;
  readonly location: string;
}

export interface Question {
  readonly method?: string;
  /** Sends the secret key. */
  readonly as_secret?: boolean;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A cold start included. */
const PATIENCE_MS = 20_000;

/** Follows no redirect: the secret key goes to the project alone. */
export async function ask(
  { url, secret_key }: Project,
  path: string,
  question: Question = {},
): Promise<Answer> {
  const { method = question.body === undefined ? "GET" : "POST", as_secret = false } = question;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(as_secret && { apikey: secret_key }),
      ...(question.body !== undefined && { "content-type": "application/json" }),
      ...question.headers,
    },
    body: question.body === undefined ? undefined : JSON.stringify(question.body),
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const { status, headers } = response;
  const body = asJson(await response.text());
  const { code, message } = Object(body);
  return {
    status,
    ours: /\btotal;dur=/.test(headers.get("server-timing") ?? ""),
    code: String(code ?? headers.get("sb-error-code") ?? ""),
    message: String(message ?? ""),
    body,
    location: headers.get("location") ?? "",
  };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
