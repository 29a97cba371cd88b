import assert from "node:assert/strict";
import { test } from "node:test";

import { blockKatex, inlineKatex, mathExtensions } from "../ui/formulas.mjs";

const show = (tex, { display }) => `<${display ? "display" : "inline"}>${tex}`;
const inline = inlineKatex(show);
const block = blockKatex(show);
const found = (extension, source) => {
  const token = extension.tokenizer(source);
  return token && { raw: token.raw, text: token.text, display: token.display };
};

test("dollars and parentheses enclose a formula in the line", () => {
  assert.deepEqual(found(inline, "$x^2$ is"), { raw: "$x^2$", text: "x^2", display: false });
  const raw = String.raw`\( f(x) \)`;
  assert.deepEqual(found(inline, `${raw} is`), { raw, text: "f(x)", display: false });
});

test("double marks in a line make a formula that is displayed", () => {
  assert.deepEqual(found(inline, "$$x$$ and"), { raw: "$$x$$", text: "x", display: true });
  assert.deepEqual(found(inline, String.raw`\[x\] and`), { raw: String.raw`\[x\]`, text: "x", display: true });
});

test("prices are no formulas", () => {
  for (const text of ["$5 and $10", "$5, $6 or $7.", "$ 5 and 6$", "$20-$30"]) {
    assert.equal(found(inline, text), undefined, text);
  }
});

test("an escaped dollar is part of a formula", () => {
  assert.equal(found(inline, String.raw`$\text{costs \$5}$.`).text, String.raw`\text{costs \$5}`);
});

test("a formula of many lines may hold line breaks with a distance", () => {
  const source = "\\[\na \\\\[2pt]\nb\n\\]\nafter";
  assert.deepEqual(found(block, source), { raw: "\\[\na \\\\[2pt]\nb\n\\]\n", text: "a \\\\[2pt]\nb", display: true });
});

test("a block begins and ends its lines", () => {
  assert.equal(found(block, "  $$\nx\n$$").text, "x");
  assert.equal(found(block, "$$x$$ and more"), undefined);
  assert.equal(found(block, "    $$x$$"), undefined, "indented code");
});

test("what is empty, or goes on behind an empty line, is no formula", () => {
  for (const text of ["$$ $$", "$$$$", "$$\n\nx\n$$", "$x\n\ny$", "\\(\\)", "$x"]) {
    assert.equal(found(inline, text) ?? found(block, text), undefined, text);
  }
});

test("a paragraph is cut only where a formula follows", () => {
  assert.equal(block.start("text\n$$\nx\n$$\nmore"), 5);
  assert.equal(block.start("text\n$$ and nothing"), undefined);
  assert.equal(block.start("x$$ y$$"), undefined);
  assert.equal(block.start("text\n\n$$x$$"), undefined, "the next paragraph is not this one's");
});

test("the start of a formula in a line is the first of its marks", () => {
  assert.equal(inline.start("a $x$"), 2);
  assert.equal(inline.start(String.raw`a \(x\)`), 2);
  assert.equal(inline.start("a"), undefined);
});

test("both extensions hand the formula on to be shown", () => {
  const [first, second] = mathExtensions(show);
  assert.deepEqual([first.level, second.level], ["block", "inline"]);
  assert.equal(first.renderer(first.tokenizer("$$\nx\n$$")), "<display>x");
  assert.equal(second.renderer(second.tokenizer("$x$")), "<inline>x");
});

for (const marks of ["$$ ", "\\( ", "\\[ ", "$x ", "$$\n", "\\[\n", "$a\\"]) {
  test(`marks that are never closed are given up at the next one: ${JSON.stringify(marks)}`, () => {
    const source = marks.repeat(20_000);
    for (let at = 0; at < source.length; at += marks.length) {
      const raw = inline.tokenizer(source.slice(at))?.raw ?? block.tokenizer(source.slice(at))?.raw ?? "";
      assert.ok(raw.length <= 2 * marks.length);
    }
  });
}
