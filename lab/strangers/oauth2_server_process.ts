/** `@node-oauth/oauth2-server` behind HTTP, in a process of its own. The argument: our client (`Registered`). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import OAuth2Server from "@node-oauth/oauth2-server";
import { Memory } from "./oauth2_memory.ts";
import { answerApi, json } from "./place.ts";
import { present } from "./present.ts";
import type { Registered } from "./stranger.ts";

const JANE = { id: "jane", name: "Jane" };
/** Seconds. */
const LONG = 3_600;

interface Asked {
  /** `GET /path`. */
  readonly what: string;
  readonly form: Readonly<Record<string, string>>;
  /** As the library takes it. A secret counts in the body alone: none of a header gets there. */
  readonly request: OAuth2Server.Request;
}

async function read(message: IncomingMessage): Promise<Asked> {
  const { method = "GET", url = "/" } = message;
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  const form = Object.fromEntries(new URLSearchParams(await text(message)));
  const { authorization, ...others } = message.headers;
  const headers = method === "POST" ? others : { ...others, ...(authorization && { authorization }) };
  const query = Object.fromEntries(searchParams);
  const request = new OAuth2Server.Request({
    method,
    headers: headers as Record<string, string>,
    query,
    body: form,
  });
  return { what: `${method} ${pathname}`, form, request };
}

/** Answers as the library does, or refuses in its words. */
async function reply(
  response: ServerResponse,
  work: (answer: OAuth2Server.Response) => Promise<unknown>,
): Promise<void> {
  const answer = new OAuth2Server.Response();
  try {
    await work(answer);
    const { status = 200, headers = {}, body = {} } = answer;
    response.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(body));
  } catch (error) {
    if (!(error instanceof OAuth2Server.OAuthError)) throw error;
    json(response, error.code, { error: error.name });
  }
}

/** The library has no endpoint of RFC 7009: this is one on the same memory. */
async function revoke(memory: Memory, form: Asked["form"], response: ServerResponse): Promise<void> {
  const { client_id = "", client_secret, token = "" } = form;
  if (!await memory.getClient(client_id, client_secret)) {
    return json(response, 401, { error: "invalid_client" });
  }
  memory.revoke(token);
  json(response, 200, {});
}

/** Whose the token is; null where it is not accepted. */
async function userOf(
  server: OAuth2Server,
  request: OAuth2Server.Request,
): Promise<OAuth2Server.User | null> {
  try {
    return (await server.authenticate(request, new OAuth2Server.Response())).user;
  } catch (error) {
    if (error instanceof OAuth2Server.OAuthError) return null;
    throw error;
  }
}

const registered: Registered = JSON.parse(Deno.args[0] ?? "");
await present(() => {
  const memory = new Memory(registered);
  const server = new OAuth2Server({ model: memory });
  const authenticateHandler = { handle: () => JANE };
  let accessTokenLifetime = LONG;
  return {
    authorization_server: async (message, response) => {
      const { what, form, request } = await read(message);
      switch (what) {
        case "GET /authorize":
          return await reply(
            response,
            (answer) => server.authorize(request, answer, { authenticateHandler }),
          );
        case "POST /token":
          return await reply(response, (answer) => server.token(request, answer, { accessTokenLifetime }));
        case "POST /revoke":
          return await revoke(memory, form, response);
        default:
          return json(response, 404, { error: "not_found" });
      }
    },
    api: async (message, response) => {
      const { what, request } = await read(message);
      const user = await userOf(server, request);
      if (what === "GET /me" && user !== null) return json(response, 200, user);
      answerApi(what.replace(/^GET /, ""), user !== null, response);
    },
    grants: () => memory.grants(),
    end_grants: () => memory.end(),
    expire: () => memory.expire(),
    live_for: (seconds) => {
      accessTokenLifetime = seconds;
    },
  };
});
