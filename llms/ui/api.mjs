/** The server, as this page sees it: every request that leaves the browser is made here. */

import { eventData } from "./stream.mjs";

const UNREACHABLE = "The server cannot be reached. Check that it is running, then retry.";
const CUT = "The answer was cut off before it ended. Retry to ask again.";

/** What went wrong, in words for the person at the screen. */
export class ApiError extends Error {}

/** Such words for any error; one that nobody foresaw also goes to the console. */
export function describe(/** @type {unknown} */ error) {
  if (error instanceof ApiError) return error.message;
  reportError(error);
  return `Something in this page went wrong (${error}). Reload it, then retry.`;
}

/**
 * @typedef {{id: string, name?: string | null, owned_by: string, demo?: boolean}} Model
 *   `owned_by` is the provider
 * @typedef {{role: string, content: string}} Message
 * @typedef {{content?: string | null, reasoning_content?: string | null}} Delta
 * @typedef {{delta: Delta, finish: string | null}} Piece
 */

/** @returns {Promise<Model[]>} */
export async function fetchModels() {
  return (await getJson("/v1/models")).data;
}

/** @returns {Promise<string | undefined>} the model of the text template in the server's configuration */
export async function fetchDefaultModel() {
  return (await getJson("/config")).defaults?.text?.model;
}

/** @returns {Promise<string[]>} names of the providers that are configured but switched off */
export async function fetchDisabledProviders() {
  return (await getJson("/status")).disabled;
}

/**
 * Yields the pieces of one streamed answer. Throws ApiError when it cannot be had whole,
 * and the browser's own AbortError when `signal` says stop.
 *
 * @param {{model: string, messages: Message[]}} chat
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece, void>}
 */
export async function* streamAnswer(chat, signal) {
  const response = await send("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...chat, stream: true }),
    signal,
  });
  for await (const data of eventData(received(response))) {
    if (data === "[DONE]") return;
    const event = parse(data);
    if (event.error) throw new ApiError(event.error.message || CUT);
    const choice = event.choices?.[0];
    if (choice) yield { delta: choice.delta ?? {}, finish: choice.finish_reason ?? null };
  }
  throw new ApiError(CUT);
}

/** The body's bytes as they arrive; the connection is closed when the reader leaves early. */
async function* received(/** @type {Response} */ response) {
  if (!response.body) throw new ApiError(CUT);
  const reader = response.body.getReader(); // not every browser can iterate the body itself
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(rethrowAs(CUT));
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {}); // already closed, or already failed: told above
  }
}

async function getJson(/** @type {string} */ path) {
  return (await send(path)).json();
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function send(path, options) {
  const response = await fetch(path, options).catch(rethrowAs(UNREACHABLE));
  if (response.ok) return response;
  const reply = await response.json().catch(() => null);
  const message = reply?.error?.message;
  throw new ApiError(message || `The server answered ${response.status}. Look at its log, then retry.`);
}

/** Browsers report a lost connection as TypeError with words for programmers. */
function rethrowAs(/** @type {string} */ message) {
  return (/** @type {unknown} */ error) => {
    throw error instanceof TypeError ? new ApiError(message, { cause: error }) : error;
  };
}

function parse(/** @type {string} */ data) {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new ApiError("The server sent something unreadable. Retry to ask again.", { cause });
  }
}
