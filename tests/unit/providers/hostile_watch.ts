/** A network that reads every address as several readers would, and the provider that answers there. */
import { base64url } from "jose";
import { json } from "../../support/fake_fetch.ts";
import { makeClient } from "../../support/make.ts";
import { type From, ISSUER, type Kind } from "./hostile_definition.ts";
import { SITE } from "./hostile_values.ts";

/** Readers that take a host from an address: the standard's parser, and some who cut and decode. */
const READERS: readonly ((address: string) => string | undefined)[] = [
  (address) => new URL(address).host,
  (address) => address.split("/")[2],
  (address) => /^https:\/\/([^/?#\\]*)/.exec(address)?.[1],
  (address) => address.split("://").at(1)?.split(/[/?#:@\\]/)[0],
  (address) => decoded(address).split(/[/\\]/)[2],
  (address) => decoded(decoded(address)).split(/[/\\]/)[2],
];

function decoded(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (byte) => String.fromCharCode(parseInt(byte.slice(1), 16)));
}

const OWN_LABEL = /^(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A name that no parser takes for an address. */
const PLAIN = /^(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*$/;
const HEADERS = /^(accept|authorization|content-type|user-agent|x-account|x-value)$/;
const ENDPOINTS = "authorize|token|refresh|revoke|me|things|other/things";

/** Watches what is sent. */
export class Watch {
  /** What went where it must not, or not at all as it was written. */
  readonly wrong: string[] = [];
  sent = 0;
  /** The value that the provider's answers bring, by source. */
  answers: Partial<Record<From, unknown>> = {};
  /** Hosts that an operator allows beside the provider's. */
  allowed: readonly string[] = [];

  constructor(private readonly kind: Kind) {}

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    await Promise.resolve();
    const address = String(input);
    this.look(address);
    try {
      this.#read(new Request(input, init));
    } catch (error) {
      this.wrong.push(`${address}: ${error}`);
    }
    return json(this.#answer(new URL(address).pathname.split("/").at(-1) ?? ""));
  };

  /** An address to which a request, or a browser, is sent. */
  look(address: string): void {
    this.sent += 1;
    const hosts = new Set(READERS.map((read) => read(address)));
    const [host = ""] = hosts;
    const { pathname, username, password } = new URL(address);
    const places = this.kind === "segment" || this.kind === "text" ? /^\/(?!\.{1,2}\/)[^/]+/ : /^/;
    const path = host === `id.${SITE}` ? /^/ : places;
    const own = new RegExp(`${path.source}/(${ENDPOINTS})$`);
    const plain = hosts.size === 1 && username + password === "";
    if (!plain || !this.#isOwn(host) || !own.test(pathname)) this.wrong.push(address);
  }

  #isOwn(host: string): boolean {
    if (host === `id.${SITE}` || (this.allowed.includes(host) && PLAIN.test(host))) return true;
    if (this.kind === "segment" || this.kind === "text") return host === `api.${SITE}`;
    return host.endsWith(`.${SITE}`) && OWN_LABEL.test(host.slice(0, -SITE.length - 1));
  }

  #read({ url, headers }: Request): void {
    for (const [name, text] of headers) {
      if (!HEADERS.test(name) || !/^[\x20-\x7e]*$/.test(text)) this.wrong.push(`${url}: ${name}: ${text}`);
    }
  }

  #answer(endpoint: string): unknown {
    if (endpoint === "me") return { id: 7, v: this.answers["account:v"] };
    const claims = { iss: ISSUER, aud: makeClient().client_id, exp: 1e11, v: this.answers["id_token:v"] };
    return {
      access_token: "access-1",
      refresh_token: "refresh-1",
      token_type: "bearer",
      expires_in: 3600,
      id_token: [{ alg: "none" }, claims].map(encoded).concat("c2ln").join("."),
      v: this.answers["token:v"],
    };
  }
}

const encoded = (part: unknown) => base64url.encode(new TextEncoder().encode(JSON.stringify(part)));
