import { apiUrl } from "./address.ts";
import { askApi } from "./api.ts";
import { readJson } from "./api_answer.ts";
import type { AccessToken, Client, Transport } from "./client.ts";
import { fillAll, fillHeaders } from "./template.ts";
import { usable } from "./values.ts";

const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * Asks the API whom a token speaks for, once. Undefined where the definition has no request: other answers suffice.
 *
 * @throws as `askApi`
 */
export async function askAccount(
  client: Client,
  token: AccessToken,
  transport: Transport,
): Promise<unknown> {
  const { request } = client.provider.account;
  if (request === undefined) return undefined;
  const { client_id, client_secret } = client;
  const { access_token, values } = token;
  const fillings = { ...usable(client, values), access_token, client_id, client_secret };
  const body = request.body && written(fillAll(request.body, fillings), request.format);
  const answer = await askApi(client, token, {
    url: apiUrl(client, values, { url: request.url }),
    method: request.method,
    headers: { ...fillHeaders(request.headers ?? {}, fillings), ...body?.headers },
    body: body?.text,
    takes: "json",
    limit: MAX_RESPONSE_BYTES,
  }, transport);
  return readJson(answer.headers, new Uint8Array(await new Response(answer.body).arrayBuffer()));
}

function written(parameters: Record<string, string>, format: "json" | "form" = "json") {
  return format === "json"
    ? { text: JSON.stringify(parameters), headers: { "content-type": "application/json" } }
    : {
      text: new URLSearchParams(parameters).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    };
}
