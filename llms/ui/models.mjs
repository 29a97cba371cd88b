/** Which model answers, and what one should know about that. */

import { ApiError, describe, fetchDefaultModel, fetchDisabledProviders, fetchModels } from "./api.mjs";
import { TextView } from "./render.mjs";

/**
 * @typedef {import("./api.mjs").Model} Model
 * @typedef {{select: HTMLSelectElement, notice: HTMLElement, hint: HTMLElement}} Places
 *   `notice` says what to do when no model can answer; `hint` warns of a weak one, else keeps its own words
 */

const KEY = "llms.model";
const NAMED_PROVIDERS = 6;

export class ModelPicker {
  #places;
  #storage;
  #usualHint;
  #notice;
  /** @type {Model[]} */
  #models = [];
  #advice = "";
  #loading;

  /**
   * @param {Places} places
   * @param {import("./storage.mjs").Store} storage
   */
  constructor(places, storage) {
    this.#places = places;
    this.#storage = storage;
    this.#usualHint = places.hint.textContent;
    this.#notice = new TextView(places.notice);
    places.select.addEventListener("change", () => {
      storage.setItem(KEY, places.select.value);
      this.#warn();
    });
    this.#loading = this.#load();
  }

  /** The id of the chosen model. Where there is none it looks once more, then throws ApiError: what to do. */
  async chosen() {
    await this.#loading;
    if (this.#models.length === 0) await (this.#loading = this.#load());
    if (this.#models.length === 0) throw new ApiError(this.#advice);
    return this.#places.select.value;
  }

  async #load() {
    try {
      const [models, configured] = await Promise.all([fetchModels(), fetchDefaultModel()]);
      this.#models = models;
      this.#fill(configured);
      this.#advice = models.length ? "" : advise(await fetchDisabledProviders());
    } catch (error) {
      this.#advice = describe(error);
    }
    this.#notice.update(this.#advice);
    this.#places.notice.hidden = !this.#advice;
    this.#warn();
  }

  #fill(/** @type {string | undefined} */ configured) {
    const { select } = this.#places;
    select.disabled = this.#models.length < 2;
    if (this.#models.length === 0) {
      select.replaceChildren(new Option("No model yet", ""));
    } else {
      select.replaceChildren(...groupByProvider(this.#models));
      select.value = this.#preferred(configured).id;
    }
  }

  /** The reader's choice, else the operator's, else anything rather than the demo. */
  #preferred(/** @type {string | undefined} */ configured) {
    const chosen = this.#storage.getItem(KEY);
    return (
      this.#models.find(({ id }) => id === chosen) ??
      this.#models.find(({ id }) => id === configured) ??
      this.#models.find(({ demo }) => !demo) ??
      this.#models[0]
    );
  }

  #warn() {
    const { select, hint } = this.#places;
    const model = this.#models.find(({ id }) => id === select.value);
    const only = this.#models.length === 1 ? " Enable a provider for better answers." : "";
    hint.classList.toggle("warning", Boolean(model?.demo));
    hint.textContent = model?.demo ? `Tiny offline demo model, often wrong.${only}` : this.#usualHint;
  }
}

function advise(/** @type {string[]} */ disabled) {
  const names = disabled.slice(0, NAMED_PROVIDERS);
  if (names.length < disabled.length) names.push("…");
  const which = names.length ? ` (${names.join(", ")})` : "";
  const provider = `Enable a provider${which} with \`llms --enable NAME\``;
  return `No model can answer yet. ${provider}, or fetch the offline demo model with \`llms local install\`.`;
}

function groupByProvider(/** @type {Model[]} */ models) {
  /** @type {Map<string, HTMLOptGroupElement>} */
  const groups = new Map();
  for (const { id, name, owned_by: label } of models) {
    const group = groups.get(label) ?? Object.assign(document.createElement("optgroup"), { label });
    groups.set(label, group);
    group.append(new Option(name || id, id));
  }
  return groups.values();
}
