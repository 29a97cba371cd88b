/** The conversation of this tab: it outlives a reload, not the tab. */

const KEY = "llms.conversation";

/**
 * @typedef {{role: "user", content: string}} Question
 * @typedef {"streaming" | "done" | "stopped" | "failed"} State
 * @typedef {{
 *   role: "assistant", content: string, reasoning: string, model: string, state: State, note: string,
 * }} Answer  `note` says why an answer ended otherwise than by itself
 * @typedef {import("./storage.mjs").Store} Store
 */

export class Conversation {
  #storage;
  /** @type {(Question | Answer)[]} */
  messages;

  /** @param {Store} storage */
  constructor(storage) {
    this.#storage = storage;
    this.messages = restore(storage.getItem(KEY));
  }

  /** @param {string} content */
  ask(content) {
    /** @type {Question} */
    const question = { role: "user", content };
    this.messages.push(question);
    this.save();
    return question;
  }

  beginAnswer() {
    /** @type {Answer} */
    const answer = { role: "assistant", content: "", reasoning: "", model: "", state: "streaming", note: "" };
    this.messages.push(answer);
    return answer;
  }

  /** @param {Answer} answer */
  remove(answer) {
    this.messages = this.messages.filter((message) => message !== answer);
    this.save();
  }

  clear() {
    this.messages = [];
    this.save();
  }

  save() {
    this.#storage.setItem(KEY, JSON.stringify(this.messages));
  }

  /** What the model is told: neither reasoning nor answers that never began. */
  forModel() {
    return this.messages.filter(({ content }) => content).map(({ role, content }) => ({ role, content }));
  }
}

/** An answer that was streaming when the page went away was stopped by that. */
function restore(/** @type {string | null} */ stored) {
  const messages = /** @type {(Question | Answer)[]} */ (parse(stored ?? "[]"));
  for (const message of messages) {
    if (message.role === "assistant" && message.state === "streaming") {
      Object.assign(message, { state: "stopped", note: "Stopped" });
    }
  }
  return messages;
}

/** What another version of the page stored must not keep this one from starting. */
function parse(/** @type {string} */ stored) {
  try {
    const messages = JSON.parse(stored);
    return Array.isArray(messages) ? messages.filter((message) => typeof message?.content === "string") : [];
  } catch {
    return [];
  }
}
