import assert from "node:assert/strict";
import { test } from "node:test";

import { parseBlocks } from "../../llms/ui/markdown.mjs";

const paragraph = (text) => ({ kind: "paragraph", text });
const code = (text, language = "") => ({ kind: "code", language, text });
const item = (text, { indent = 0, number } = {}) => ({ indent, number, text });

test("blank lines part paragraphs, single ones do not", () => {
  assert.deepEqual(parseBlocks("one\ntwo\n\n\nthree"), [paragraph("one\ntwo"), paragraph("three")]);
});

test("a fence holds code word for word, with its language", () => {
  assert.deepEqual(parseBlocks("```python\n# no heading\n\n- no list\n```\nafter"), [
    code("# no heading\n\n- no list", "python"),
    paragraph("after"),
  ]);
});

test("a fence that is still open holds the rest", () => {
  assert.deepEqual(parseBlocks("~~~\nx = 1\n"), [code("x = 1\n")]);
});

test("a longer fence may hold a shorter one", () => {
  assert.deepEqual(parseBlocks("````\n```\ninner\n```\n````"), [code("```\ninner\n```")]);
});

test("an indented fence gives its indentation back", () => {
  assert.deepEqual(parseBlocks("  ```\n  a\n    b\n  ```"), [code("a\n  b")]);
});

test("a line that only begins with backticks is a paragraph", () => {
  assert.deepEqual(parseBlocks("```code``` inline"), [paragraph("```code``` inline")]);
});

test("a heading needs a space", () => {
  assert.deepEqual(parseBlocks("## Title\n#tag"), [{ kind: "heading", text: "Title" }, paragraph("#tag")]);
});

test("items keep their indentation, numbers and further lines", () => {
  assert.deepEqual(parseBlocks("3. three\n   goes on\n\n4. four\n   - inner"), [
    {
      kind: "list",
      items: [item("three\ngoes on", { number: "3" }), item("four", { number: "4" }), item("inner", { indent: 3 })],
    },
  ]);
});

test("a list of another kind is another list", () => {
  const kinds = parseBlocks("1. one\n- dash\n2. two").map(({ items }) => items.map(({ text }) => text));
  assert.deepEqual(kinds, [["one"], ["dash"], ["two"]]);
});

test("a list ends at a blank line that no item follows, and at a fence", () => {
  assert.deepEqual(parseBlocks("- a\n\ntext").map(({ kind }) => kind), ["list", "paragraph"]);
  assert.deepEqual(parseBlocks("- a\n```\nx\n```").map(({ kind }) => kind), ["list", "code"]);
});

test("all kinds of line ends are line ends", () => {
  assert.deepEqual(parseBlocks("a\r\n\r\nb\r\rc"), [paragraph("a"), paragraph("b"), paragraph("c")]);
});

test("no text at all is no block at all", () => {
  assert.deepEqual(parseBlocks(" \n\n"), []);
});
