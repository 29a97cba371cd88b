/** Where one writes: a box that grows, and one button that sends or stops. */

import { following } from "./scroll.mjs";

export class Composer {
  #form;
  #box;
  #button;
  #busy = false;

  /**
   * @param {HTMLFormElement} form
   * @param {{onSend: (text: string) => void, onStop: () => void}} handlers
   */
  constructor(form, { onSend, onStop }) {
    this.#form = form;
    this.#box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    this.#button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    this.#box.addEventListener("input", () => this.#grow());
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) onStop();
      else this.#send(onSend);
    });
  }

  /** While busy the button stops the answer, and Enter keeps what was written for later. */
  set busy(/** @type {boolean} */ busy) {
    this.#busy = busy;
    this.#form.classList.toggle("busy", busy);
    this.#button.textContent = busy ? "Stop" : "Send";
    if (!busy && document.activeElement === this.#button) this.focus();
  }

  focus() {
    this.#box.focus();
  }

  #send(/** @type {(text: string) => void} */ onSend) {
    const text = this.#box.value.trim();
    this.focus();
    if (!text) return;
    this.#box.value = "";
    this.#grow();
    onSend(text);
  }

  #press(/** @type {KeyboardEvent} */ event) {
    // An input method uses Enter to accept a word; Safari ends the composition before it tells of the key.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (!this.#busy) this.#form.requestSubmit();
  }

  #grow() {
    following(() => {
      this.#box.style.height = "auto";
      this.#box.style.height = `${this.#box.scrollHeight}px`;
    });
  }
}
