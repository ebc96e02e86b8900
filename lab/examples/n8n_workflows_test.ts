/** The workflows to import have the shapes that n8n reads, and no secret. */
import { walk } from "../../tests/support/walk.ts";
import { type Node, readWorkflow, type Workflow } from "./n8n.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";

/**
 * Per node: the versions that exist, and the parameters it knows, from n8n's sources
 * (https://github.com/n8n-io/n8n, packages/nodes-base/nodes/…).
 */
const NODES: Readonly<
  Record<string, { readonly versions: readonly number[]; readonly parameters: readonly string[] }>
> = {
  "n8n-nodes-base.httpRequest": {
    versions: [3, 4, 4.1, 4.2, 4.3, 4.4],
    parameters: [
      "method",
      "url",
      "authentication",
      "genericAuthType",
      "nodeCredentialType",
      "provideSslCertificates",
      "sendQuery",
      "specifyQuery",
      "queryParameters",
      "jsonQuery",
      "sendHeaders",
      "specifyHeaders",
      "headerParameters",
      "jsonHeaders",
      "sendBody",
      "contentType",
      "specifyBody",
      "bodyParameters",
      "jsonBody",
      "body",
      "options",
    ],
  },
  "n8n-nodes-base.webhook": {
    versions: [1, 1.1, 2, 2.1],
    parameters: [
      "multipleMethods",
      "httpMethod",
      "path",
      "authentication",
      "responseMode",
      "responseData",
      "options",
    ],
  },
  "n8n-nodes-base.respondToWebhook": {
    versions: [1, 1.1],
    parameters: ["respondWith", "redirectURL", "responseBody", "options"],
  },
  "n8n-nodes-base.set": {
    versions: [3.3, 3.4],
    parameters: ["mode", "assignments", "includeOtherFields", "options"],
  },
  "n8n-nodes-base.manualTrigger": { versions: [1], parameters: [] },
  "n8n-nodes-base.stickyNote": { versions: [1], parameters: ["content", "height", "width", "color"] },
};
const HTTP_OPTIONS = [
  "batching",
  "redirect",
  "response",
  "timeout",
  "pagination",
  "proxy",
  "lowercaseHeaders",
];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

for (const name of ["connect", "search-persons"]) {
  Deno.test(`${name}.json can be imported: nodes, versions and parameters that n8n knows`, async () => {
    const { nodes, connections, name: title } = await readWorkflow(name);
    assert(title.startsWith("Pipedrive: "));
    assertEquals(new Set(nodes.map((node) => node.name)).size, nodes.length);
    for (const node of nodes) assertKnown(node);
    for (const [from, { main }] of Object.entries(connections)) {
      const ends = [from, ...main.flat().map(({ node }) => node)];
      for (const end of ends) assert(nodes.some((node) => node.name === end), `a connection to "${end}"`);
    }
  });

  Deno.test(`${name}.json reaches every node, and answers every webhook`, async () => {
    const workflow = await readWorkflow(name);
    const triggers = workflow.nodes.filter(({ type }) =>
      /webhook$|Trigger$/.test(type) && !/respond/.test(type)
    );
    const reached = new Set(triggers.flatMap((trigger) => behind(workflow, trigger.name)));
    for (const { name, type } of workflow.nodes) {
      assert(type.endsWith("stickyNote") || reached.has(name), name);
    }
    for (const { name, parameters } of triggers.filter(({ type }) => type.endsWith(".webhook"))) {
      assertEquals(parameters.responseMode, "responseNode");
      assert(behind(workflow, name).some((one) => typeOf(workflow, one)?.endsWith("respondToWebhook")), name);
    }
  });
}

Deno.test("no workflow holds a secret: the key is n8n's credential, and every call to us uses it", async () => {
  const root = new URL("../../", import.meta.url);
  for await (const path of walk(root, "examples")) {
    const text = await Deno.readTextFile(new URL(path, root));
    assert(!/sb_secret_[A-Za-z0-9]|eyJ[\w-]{20,}|Bearer [\w-]{10,}/.test(text), path);
  }
  for (const name of ["connect", "search-persons"]) {
    const { nodes } = await readWorkflow(name);
    const calls = nodes.filter(({ type }) => type.endsWith(".httpRequest"));
    assert(calls.length > 0);
    for (const { parameters, credentials } of calls) {
      assertEquals(
        [parameters.authentication, parameters.genericAuthType, Object.keys(credentials ?? {})],
        ["genericCredentialType", "httpHeaderAuth", ["httpHeaderAuth"]],
      );
    }
  }
});

function assertKnown(
  { id, name, type, typeVersion, position, parameters, credentials, webhookId }: Node,
): void {
  const known = NODES[type];
  assert(known, `${name}: ${type}`);
  assert(known.versions.includes(typeVersion), `${name}: version ${typeVersion}`);
  assert(UUID.test(id) && position.length === 2, name);
  for (const parameter of Object.keys(parameters)) {
    assert(known.parameters.includes(parameter), `${name}: ${parameter}`);
  }
  for (const used of Object.values(credentials ?? {})) {
    assertEquals(Object.keys(used).toSorted(), ["id", "name"]);
  }
  if (type.endsWith(".webhook")) assert(UUID.test(webhookId ?? ""), `${name}: webhookId`);
  if (type.endsWith(".httpRequest")) {
    for (const option of Object.keys(Object(parameters.options))) {
      assert(HTTP_OPTIONS.includes(option), option);
    }
  }
}

function behind({ connections }: Workflow, name: string): string[] {
  const next = connections[name]?.main.flat().map(({ node }) => node) ?? [];
  return [name, ...next.flatMap((one) => behind({ connections, name: "", nodes: [] }, one))];
}

function typeOf({ nodes }: Workflow, name: string): string | undefined {
  return nodes.find((node) => node.name === name)?.type;
}
