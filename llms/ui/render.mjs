/** A model's text as DOM nodes. All of it passes through text nodes, so none of it can become markup. */

import { parseBlocks } from "./markdown.mjs";

/**
 * @typedef {import("./markdown.mjs").Block} Block
 * @typedef {import("./markdown.mjs").Item} Item
 */

// `code`, **strong**, *emphasis*. The classes exclude the closing mark, so that no input makes this slow.
const MARK = /`([^`]+)`|\*\*(?=\S)([^*]+(?:\*[^*]+)*)\*\*|(?<![\w*])\*([^\s*](?:[^*]*[^\s*])?)\*(?![\w*])/g;

/** Shows a text that grows: a block that did not change keeps its node, and so the reader's selection. */
export class TextView {
  #root;
  /** @type {string[]} */
  #drawn = [];

  /** @param {Element} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} text */
  update(text) {
    const blocks = parseBlocks(text);
    const keys = blocks.map((block) => JSON.stringify(block));
    const changed = keys.findIndex((key, index) => key !== this.#drawn[index]);
    const kept = changed < 0 ? keys.length : changed;
    while (this.#root.children.length > kept) this.#root.lastElementChild?.remove();
    this.#root.append(...blocks.slice(kept).map(renderBlock));
    this.#drawn = keys;
  }
}

function renderBlock(/** @type {Block} */ block) {
  if (block.kind === "code") return renderCode(block.language, block.text);
  if (block.kind === "list") return renderList(block.items);
  return prose(block.kind === "heading" ? "h3" : "p", block.text);
}

function renderCode(/** @type {string} */ language, /** @type {string} */ text) {
  const figure = document.createElement("figure");
  figure.dir = "ltr";
  if (language) figure.append(withText("figcaption", language));
  const pre = document.createElement("pre");
  pre.tabIndex = 0; // wide code scrolls, and the keyboard must be able to
  pre.append(withText("code", text));
  figure.append(pre);
  return figure;
}

/** An item further right than the one above belongs to it. */
function renderList(/** @type {Item[]} */ items) {
  const root = createList(items[0]);
  const open = [{ indent: items[0].indent, list: root }];
  for (const item of items) {
    while (open.length > 1 && item.indent < open[0].indent) open.shift();
    if (item.indent > open[0].indent + 1) {
      const list = createList(item);
      open[0].list.lastElementChild?.append(list);
      open.unshift({ indent: item.indent, list });
    }
    open[0].list.append(prose("li", item.text));
  }
  return root;
}

function createList(/** @type {Item} */ { number }) {
  if (number === undefined) return document.createElement("ul");
  return Object.assign(document.createElement("ol"), { start: Number(number) });
}

/** An element whose direction follows its own text, with the inline marks applied. */
function prose(/** @type {string} */ tag, /** @type {string} */ text) {
  const element = document.createElement(tag);
  element.dir = "auto";
  return fill(element, text);
}

/** @returns {Element} */
function fill(/** @type {Element} */ element, /** @type {string} */ text) {
  let plain = 0;
  for (const mark of text.matchAll(MARK)) {
    element.append(text.slice(plain, mark.index), renderMark(mark));
    plain = mark.index + mark[0].length;
  }
  element.append(text.slice(plain));
  return element;
}

function renderMark(/** @type {RegExpMatchArray} */ [, code, strong, emphasis]) {
  if (code !== undefined) return withText("code", code);
  const [tag, text] = strong !== undefined ? ["strong", strong] : ["em", emphasis];
  return fill(document.createElement(tag), text);
}

function withText(/** @type {string} */ tag, /** @type {string} */ text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
