/** Server-sent events, from bytes to text. No I/O. */

/**
 * Collects the data of events from bytes that may be cut anywhere: inside a character, a line or a line end.
 * Comments and fields other than `data` are skipped; an event without its closing blank line never counts.
 */
export class EventDecoder {
  #characters = new TextDecoder();
  #rest = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {Uint8Array} bytes
   * @returns {string[]} the data of each event these bytes completed
   */
  feed(bytes) {
    this.#rest += this.#characters.decode(bytes, { stream: true });
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/); // a CR at the very end may be half of a CRLF
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#take(line));
  }

  #take(/** @type {string} */ line) {
    if (line === "") return this.#complete();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field === "data") this.#data.push(colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, ""));
    return [];
  }

  #complete() {
    const data = this.#data;
    this.#data = [];
    return data.length ? [data.join("\n")] : [];
  }
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @returns {AsyncGenerator<string, void>}
 */
export async function* eventData(chunks) {
  const decoder = new EventDecoder();
  for await (const bytes of chunks) yield* decoder.feed(bytes);
}
