/** What one message looks like. The shapes are the templates in index.html. */

import { TextView } from "./render.mjs";

/**
 * @typedef {import("./conversation.mjs").Answer} Answer
 * @typedef {import("./conversation.mjs").Question} Question
 */

const COPIED_FOR = 2000;

export function renderQuestion(/** @type {Question} */ { content }) {
  const root = stamp("question-template");
  find(root, ".text").textContent = content;
  return root;
}

/** One answer on the page; `update()` shows what the answer holds by now. */
export class AnswerView {
  #answer;
  #onRetry;
  #body;
  #reasoning;
  /** @type {HTMLElement | null} */
  #failure = null;

  /**
   * @param {Answer} answer
   * @param {() => void} onRetry
   */
  constructor(answer, onRetry) {
    this.#answer = answer;
    this.#onRetry = onRetry;
    this.root = stamp("answer-template");
    this.#body = new TextView(find(this.root, ".body"));
    this.#reasoning = new TextView(find(this.root, ".reasoning .text"));
    this.#listenToCopy(find(this.root, ".copy"));
    this.update();
  }

  /** The finished answer as one would say it, without marks. */
  get spoken() {
    return find(this.root, ".body").innerText;
  }

  update() {
    const { content, reasoning, model, state, note } = this.#answer;
    const streaming = state === "streaming";
    this.root.ariaBusy = String(streaming);
    this.#body.update(content);
    this.#reasoning.update(reasoning);
    find(this.root, ".reasoning").hidden = !reasoning;
    find(this.root, "summary").textContent = streaming && !content ? "Thinking…" : "Reasoning";
    find(this.root, ".waiting").hidden = !streaming || Boolean(content || reasoning);
    find(this.root, ".foot").hidden = streaming || (state === "failed" && !content);
    find(this.root, ".copy").hidden = !content;
    find(this.root, ".model").textContent = model;
    find(this.root, ".note").textContent = state === "failed" ? "" : note;
    if (state === "failed") this.#fail(note);
  }

  #fail(/** @type {string} */ reason) {
    if (this.#failure) return;
    this.#failure = stamp("failure-template");
    new TextView(find(this.#failure, ".reason")).update(reason);
    find(this.#failure, ".retry").addEventListener("click", this.#onRetry);
    this.root.append(this.#failure);
  }

  #listenToCopy(/** @type {HTMLElement} */ button) {
    button.addEventListener("click", async () => {
      const copied = await copy(this.#answer.content);
      button.textContent = copied ? "Copied" : "Select and copy by hand";
      setTimeout(() => (button.textContent = "Copy"), COPIED_FOR);
    });
  }
}

/** @returns {Promise<boolean>} false where the browser forbids it, as on plain http beyond localhost */
async function copy(/** @type {string} */ text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function stamp(/** @type {string} */ template) {
  const { content } = /** @type {HTMLTemplateElement} */ (document.getElementById(template));
  return /** @type {HTMLElement} */ (document.importNode(content, true).firstElementChild);
}

/** @returns {HTMLElement} */
function find(/** @type {Element} */ root, /** @type {string} */ selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}
