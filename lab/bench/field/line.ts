const CRLF = new TextEncoder().encode("\r\n");
const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const BUFFER_BYTES = 256 * 1024;

/**
 * One kept HTTP/1.1 connection to this machine, on a plain socket: `fetch` costs a caller about as much as an empty
 * function costs its server, and half of what is measured would be the measuring.
 */
export class Line {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #from = 0;
  #to = 0;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async open(origin: string): Promise<Line> {
    const { hostname, port } = new URL(origin);
    return new Line(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Sends a whole request, waits for the last byte of its answer, and says its status. */
  async ask(request: Uint8Array): Promise<number> {
    for (let sent = 0; sent < request.length;) sent += await this.#connection.write(request.subarray(sent));
    const head = await this.#until(HEAD_END);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) await this.#skip(Number(length));
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) await this.#skipChunks();
    return Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
  }

  close(): void {
    this.#connection.close();
  }

  async #skipChunks(): Promise<void> {
    for (let size = 1; size > 0;) {
      size = Number.parseInt(await this.#until(CRLF), 16);
      await this.#skip(size + CRLF.length);
    }
  }

  async #skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#from === this.#to) await this.#read();
      const taken = Math.min(left, this.#to - this.#from);
      this.#from += taken;
      left -= taken;
    }
  }

  /** The text before these bytes; they are passed over. */
  async #until(end: Uint8Array): Promise<string> {
    for (;;) {
      const at = this.#find(end);
      if (at >= 0) {
        const text = new TextDecoder().decode(this.#buffer.subarray(this.#from, at));
        this.#from = at + end.length;
        return text;
      }
      await this.#read();
    }
  }

  #find(end: Uint8Array): number {
    for (let at = this.#from; at <= this.#to - end.length; at++) {
      if (end.every((byte, index) => this.#buffer[at + index] === byte)) return at;
    }
    return -1;
  }

  async #read(): Promise<void> {
    // What is left of a head moves to the beginning, so that there is always room.
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    const read = await this.#connection.read(this.#buffer.subarray(this.#to));
    if (read === null || read === 0) throw new Error("the connection was closed before the answer had come");
    this.#to += read;
  }
}
