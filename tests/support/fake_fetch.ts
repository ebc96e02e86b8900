/** What went out, as the provider would see it. The body is read: tests look at it without waiting. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: RequestInit["redirect"];
}

export type Answer = Response | Error | ((request: SentRequest) => Response | Promise<Response>);

export interface FakeFetch {
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  readonly requests: readonly SentRequest[];
}

/**
 * A network of scripted answers, given in order; an `Error` is thrown, a function decides by the request. A request
 * beyond the script fails, and so does an aborted one, as with the real `fetch`.
 */
export function fakeFetch(...answers: Answer[]): FakeFetch {
  const script = [...answers];
  return respondWith((request) => {
    const answer = script.shift();
    if (answer === undefined) throw new Error(`no request was expected: ${request.method} ${request.url}`);
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(request) : answer;
  });
}

/** A network where one function answers every request. */
export function respondWith(answer: (request: SentRequest) => Response | Promise<Response>): FakeFetch {
  const requests: SentRequest[] = [];
  const send = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const sent = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: await request.text(),
      redirect: init?.redirect ?? request.redirect,
    };
    const { signal } = request;
    signal.throwIfAborted();
    requests.push(sent);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const response = await Promise.race([Promise.resolve(sent).then(answer), aborted.promise]);
      return response.body
        ? new Response(response.body.pipeThrough(new TransformStream(), { signal }), response)
        : response;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
  return Object.assign(send, { requests });
}

/** A JSON answer. */
export function json(body: unknown, status = 200, headers: HeadersInit = {}): Response {
  return Response.json(body, { status, headers });
}
