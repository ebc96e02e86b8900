import { Ajv2020 } from "ajv/2020";

interface Content {
  readonly content?: { readonly "application/json"?: { readonly schema: object } };
  readonly $ref?: string;
}

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Record<string, Content> }>>>
  >;
  readonly components: { readonly responses: Record<string, Content> };
}

/** Holds what a function answers against docs/openapi.json. */
export class Contract {
  readonly #document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });

  private constructor(document: OpenApi) {
    this.#document = document;
    this.#ajv.addSchema({ ...document, $id: "openapi" });
  }

  static async read(): Promise<Contract> {
    const text = await Deno.readTextFile(new URL("../../docs/openapi.json", import.meta.url));
    return new Contract(JSON.parse(text));
  }

  /**
   * @param path below `/functions/v1`
   * @returns what is wrong with the answer, or null
   */
  trouble(method: string, path: string, status: number, body: unknown): string | null {
    const described = path.replace(/^(\/oauth-callback\/)[^/]+/, "$1{provider}");
    const operation = this.#document.paths[described]?.[method.toLowerCase()];
    if (!operation) return `${method} ${path} is not described`;
    const family = `${String(status)[0]}XX`;
    const response = operation.responses[status] ?? operation.responses[family];
    if (!response) return `${method} ${path} answered ${status}, which is not described`;
    const { content } = response.$ref ? this.#responseAt(response.$ref) : response;
    const schema = content?.["application/json"]?.schema;
    if (!schema) return body === null ? null : `${method} ${path} answered ${status} with a body`;
    const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
    return this.#ajv.validate(rooted, body)
      ? null
      : `${method} ${path}, ${status}: ${this.#ajv.errorsText()} in ${JSON.stringify(body)}`;
  }

  #responseAt(pointer: string): Content {
    const name = pointer.slice("#/components/responses/".length);
    return this.#document.components.responses[name] ?? {};
  }
}

/** `fetch` that keeps what every function's answer has wrong. */
export function watching(contract: Contract, functions_url: string, troubles: string[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    if (!request.url.startsWith(functions_url)) return response;
    const path = new URL(request.url).pathname.replace("/functions/v1", "");
    const text = await response.clone().text();
    const body = text === "" ? null : JSON.parse(text);
    const trouble = contract.trouble(request.method, path, response.status, body);
    if (trouble !== null) troubles.push(trouble);
    return response;
  };
}
