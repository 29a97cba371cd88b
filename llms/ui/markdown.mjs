/** The blocks of a model's text: paragraphs, headings, lists and fenced code. No DOM. */

// The classes in these patterns exclude what follows them, so that no input makes them slow.
const FENCE = /^(\s*)(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}#{1,6}\s+(\S.*)$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

/**
 * @typedef {{kind: "paragraph" | "heading", text: string}} Prose
 * @typedef {{kind: "code", language: string, text: string}} Code
 * @typedef {{indent: number, number: string | undefined, text: string}} Item  `number` where the item has one
 * @typedef {{kind: "list", items: Item[]}} List  flat; `indent` tells what belongs to what
 * @typedef {Prose | Code | List} Block
 */

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function parseBlocks(text) {
  const lines = text.split(/\r\n|\r|\n/);
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) {
      at++;
      continue;
    }
    const [block, next] =
      readCode(lines, at) ?? readHeading(lines, at) ?? readList(lines, at) ?? readParagraph(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** @typedef {[Block, number]} Read  a block and the line after it */

/** @returns {Read | null} */
function readCode(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const fence = FENCE.exec(lines[at]);
  if (!fence) return null;
  const [, indent, marks, language] = fence;
  let end = at + 1; // without a closing fence the model is still writing: all of the rest is code
  while (end < lines.length && !closesFence(lines[end].trim(), marks)) end++;
  const code = lines.slice(at + 1, end).map((line) => unindent(line, indent));
  return [{ kind: "code", language, text: code.join("\n") }, end + 1];
}

function closesFence(/** @type {string} */ line, /** @type {string} */ marks) {
  return line.startsWith(marks) && /^[`~]+$/.test(line);
}

function unindent(/** @type {string} */ line, /** @type {string} */ indent) {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trimStart();
}

/** @returns {Read | null} */
function readHeading(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const heading = HEADING.exec(lines[at]);
  return heading && [{ kind: "heading", text: heading[1] }, at + 1];
}

/** @returns {Read | null} */
function readList(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const first = readItem(lines[at]);
  if (!first) return null;
  const items = [first];
  let end = at + 1;
  for (; end < lines.length; end++) {
    const item = readItem(lines[end]);
    if (item && item.indent <= first.indent && !item.number !== !first.number) break;
    if (item) items.push(item);
    else if (isProse(lines[end])) /** @type {Item} */ (items.at(-1)).text += `\n${lines[end].trim()}`;
    else if (lines[end].trim() || !readItem(lines[end + 1] ?? "")) break; // one blank line may part two items
  }
  return [{ kind: "list", items }, end];
}

/** @returns {Read} */
function readParagraph(/** @type {string[]} */ lines, /** @type {number} */ at) {
  let end = at + 1;
  while (end < lines.length && isProse(lines[end]) && !ITEM.test(lines[end])) end++;
  return [{ kind: "paragraph", text: lines.slice(at, end).join("\n") }, end];
}

/** @returns {Item | null} */
function readItem(/** @type {string} */ line) {
  const item = ITEM.exec(line);
  return item && { indent: item[1].length, number: item[2], text: item[3] };
}

function isProse(/** @type {string} */ line) {
  return line.trim() !== "" && !FENCE.test(line) && !HEADING.test(line);
}
