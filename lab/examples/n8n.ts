/** Just enough of n8n to run a straight line of nodes as n8n does. */
export interface Node {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly typeVersion: number;
  readonly position: readonly [number, number];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly credentials?: Readonly<Record<string, { readonly id: string; readonly name: string }>>;
  readonly webhookId?: string;
}

export interface Workflow {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly connections: Readonly<Record<string, { readonly main: readonly (readonly { node: string }[])[] }>>;
}

export type Item = Record<string, unknown>;

export async function readWorkflow(name: string): Promise<Workflow> {
  const path = new URL(`../../examples/n8n/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(path));
}

/** Where an expression begins with `=`, its value with `$json` the item; text otherwise. */
export function evaluate(value: unknown, $json: Item): unknown {
  if (typeof value !== "string" || !value.startsWith("=")) return value;
  const compute = (code: string) => new Function("$json", `return (${code});`)($json);
  const whole = /^=\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value)?.[1];
  if (whole !== undefined) return compute(whole);
  return value.slice(1).replaceAll(/\{\{(.*?)\}\}/gs, (_, code: string) => String(compute(code)));
}

export interface Surroundings {
  /** What takes the place of the texts in `Settings`. */
  readonly settings: Readonly<Record<string, string>>;
  /** The Header Auth credential of HTTP Request nodes. */
  readonly header: { readonly name: string; readonly value: string };
}

/**
 * Runs the nodes behind `start`.
 *
 * @returns what the last one put out
 */
export async function runFrom(
  workflow: Workflow,
  start: string,
  item: Item,
  around: Surroundings,
): Promise<Item> {
  let at = start;
  let json = item;
  for (;;) {
    const next = workflow.connections[at]?.main[0]?.[0]?.node;
    const node = workflow.nodes.find(({ name }) => name === next);
    if (!node) return json;
    json = await runNode(node, json, around);
    at = node.name;
  }
}

async function runNode({ type, parameters }: Node, json: Item, around: Surroundings): Promise<Item> {
  switch (type) {
    case "n8n-nodes-base.set":
      return { ...json, ...around.settings };
    case "n8n-nodes-base.httpRequest":
      return await request(parameters, json, around.header);
    case "n8n-nodes-base.respondToWebhook":
      return respond(parameters, json);
    default:
      throw new Error(`no such node here: ${type}`);
  }
}

async function request(
  parameters: Node["parameters"],
  json: Item,
  header: Surroundings["header"],
): Promise<Item> {
  const { method, url, jsonBody, queryParameters, options } = parameters;
  const address = new URL(String(evaluate(url, json)));
  const { parameters: query = [] } = (queryParameters ?? {}) as {
    parameters?: { name: string; value: string }[];
  };
  for (const { name, value } of query) address.searchParams.set(name, String(evaluate(value, json)));
  const response = await fetch(address, {
    method: String(method),
    headers: {
      [header.name]: header.value,
      ...(jsonBody !== undefined && { "content-type": "application/json" }),
    },
    ...(jsonBody !== undefined && { body: String(evaluate(jsonBody, json)) }),
  });
  const body = await response.json();
  const { response: asked } = options as { response?: { response: { fullResponse?: boolean } } };
  return asked?.response.fullResponse ? { statusCode: response.status, body } : { items: body };
}

function respond(parameters: Node["parameters"], json: Item): Item {
  const { responseCode } = parameters.options as { responseCode?: unknown };
  return { status: evaluate(responseCode, json), body: evaluate(parameters.responseBody, json) };
}
