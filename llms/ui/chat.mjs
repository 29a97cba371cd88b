/** The page: it joins the conversation, the model and the box one writes in. */

import { streamAnswer } from "./api.mjs";
import { Composer } from "./composer.mjs";
import { Conversation } from "./conversation.mjs";
import { AnswerView, renderQuestion } from "./message.mjs";
import { ModelPicker } from "./models.mjs";
import { following, scrollToEnd } from "./scroll.mjs";
import { openStorage } from "./storage.mjs";
import { receive } from "./turn.mjs";

/** @typedef {import("./conversation.mjs").Answer} Answer */

class Page {
  #list = element("conversation");
  #conversation = new Conversation(openStorage("sessionStorage"));
  #picker = new ModelPicker(
    {
      select: /** @type {HTMLSelectElement} */ (element("model")),
      notice: element("notice"),
      hint: element("hint"),
    },
    openStorage("localStorage"),
  );
  #composer = new Composer(/** @type {HTMLFormElement} */ (element("composer")), {
    onSend: (text) => this.#ask(text),
    onStop: () => this.#turn?.abort(),
  });
  /** @type {AbortController | null} stops the answer that is being streamed, if one is */
  #turn = null;

  constructor() {
    for (const message of this.#conversation.messages) {
      if (message.role === "user") this.#list.append(renderQuestion(message));
      else this.#show(message);
    }
    this.#welcome();
    this.#listen();
    scrollToEnd();
    if (!matchMedia("(pointer: coarse)").matches) this.#composer.focus(); // a phone would raise its keyboard
  }

  #listen() {
    history.scrollRestoration = "manual"; // the conversation is drawn later than the browser would restore
    element("new-chat").addEventListener("click", () => this.#reset());
    for (const starter of element("welcome").querySelectorAll("button")) {
      starter.addEventListener("click", () => this.#ask(starter.textContent));
    }
    document.addEventListener("keydown", ({ key, isComposing }) => {
      if (key === "Escape" && !isComposing) this.#turn?.abort();
    });
    addEventListener("pagehide", () => {
      this.#turn?.abort(); // else the browser breaks the connection, which looks like a failure
      this.#conversation.save();
    });
  }

  #ask(/** @type {string} */ text) {
    this.#list.append(renderQuestion(this.#conversation.ask(text)));
    this.#welcome();
    this.#answer();
  }

  async #answer() {
    const turn = new AbortController();
    this.#begin(turn);
    const messages = this.#conversation.forModel();
    const answer = this.#conversation.beginAnswer();
    const view = this.#show(answer);
    scrollToEnd();
    const draw = () => following(() => view.update());
    await receive(answer, this.#pieces(answer, messages, turn.signal), turn.signal, oncePerFrame(draw));
    draw();
    if (this.#turn === turn) this.#end(answer, view);
  }

  /**
   * @param {Answer} answer
   * @param {import("./api.mjs").Message[]} messages
   * @param {AbortSignal} signal
   */
  async *#pieces(answer, messages, signal) {
    answer.model = await this.#picker.chosen();
    yield* streamAnswer({ model: answer.model, messages }, signal);
  }

  #begin(/** @type {AbortController} */ turn) {
    this.#turn = turn;
    this.#composer.busy = true;
    this.#composer.focus();
    announce("Answering");
  }

  #end(/** @type {Answer} */ answer, /** @type {AnswerView} */ view) {
    this.#turn = null;
    this.#composer.busy = false;
    this.#conversation.save();
    if (answer.state === "done") announce(`${view.spoken} ${answer.note}`);
    if (answer.state === "stopped") announce(answer.note); // a failure is an alert, and speaks for itself
  }

  #show(/** @type {Answer} */ answer) {
    const view = new AnswerView(answer, () => {
      this.#conversation.remove(answer);
      view.root.remove();
      this.#answer();
    });
    this.#list.append(view.root);
    return view;
  }

  #reset() {
    this.#turn?.abort();
    this.#turn = null;
    this.#composer.busy = false;
    this.#conversation.clear();
    this.#list.replaceChildren();
    this.#welcome();
    this.#composer.focus();
    announce("New chat");
  }

  #welcome() {
    element("welcome").hidden = this.#conversation.messages.length > 0;
  }
}

function element(/** @type {string} */ id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Says it once to those who listen rather than look. */
function announce(/** @type {string} */ text) {
  element("announcer").textContent = text;
}

/** @returns {() => void} `draw`, but at most once for each frame the browser shows */
function oncePerFrame(/** @type {() => void} */ draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

new Page();
