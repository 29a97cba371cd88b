/** One answer from its first piece to its end, however it ends. */

import { describe } from "./api.mjs";

/**
 * @typedef {import("./api.mjs").Piece} Piece
 * @typedef {import("./conversation.mjs").Answer} Answer
 */

const ENDINGS = new Map([
  ["length", "Cut at the length limit"],
  ["content_filter", "Withheld by the provider's filter"],
]);

/**
 * Adds the pieces to `answer`, telling of each, and leaves it done, stopped or failed; never throws.
 *
 * @param {Answer} answer
 * @param {AsyncIterable<Piece>} pieces
 * @param {AbortSignal} signal
 * @param {() => void} onPiece
 */
export async function receive(answer, pieces, signal, onPiece) {
  try {
    for await (const { delta, finish } of pieces) {
      answer.content += delta.content ?? "";
      answer.reasoning += delta.reasoning_content ?? "";
      if (finish) answer.note = ENDINGS.get(finish) ?? "";
      onPiece();
    }
    answer.state = "done";
    if (!answer.content) answer.note ||= "The model gave an empty answer";
  } catch (error) {
    answer.state = signal.aborted ? "stopped" : "failed";
    answer.note = signal.aborted ? "Stopped" : describe(error);
  }
}
