import assert from "node:assert/strict";
import { test } from "node:test";

import { createTypesetter } from "../ui/typeset.mjs";

const fake = { renderToString: (tex, { displayMode }) => `<set ${displayMode ? "display" : "inline"}>${tex}` };

/** A page whose waiting formulas are `elements`. */
function pageWith(...elements) {
  return { querySelectorAll: (selector) => (selector === ".katex-source" ? elements : []) };
}

function waitingElement(text, classes = "") {
  return { textContent: text, outerHTML: "", matches: (selector) => selector === classes };
}

/** A typesetter, `load` to let KaTeX arrive, and how often it was asked for. */
function typesetterWith(page = pageWith()) {
  const asked = [];
  const load = () => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  return { ...createTypesetter({ load, page }), asked };
}

const frame = () => new Promise((resolve) => setTimeout(resolve, 0));

test("nothing is loaded before the first formula, and KaTeX but once", () => {
  const typesetter = typesetterWith();
  assert.equal(typesetter.asked.length, 0);
  typesetter.html("x");
  typesetter.html("y");
  assert.equal(typesetter.asked.length, 1);
});

test("until KaTeX is there a formula stands as it is written, and can do nothing", () => {
  const typesetter = typesetterWith();
  const html = typesetter.html(`<img src=x onerror="alert(1)">&`, { display: true });
  assert.equal(
    html,
    '<code class="katex-source katex-display">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;</code>',
  );
});

test("what waited is set once KaTeX is there, and later formulas at once", async () => {
  const elements = [waitingElement("x"), waitingElement("y", ".katex-display")];
  const typesetter = typesetterWith(pageWith(...elements));
  typesetter.html("x");
  typesetter.asked[0].resolve({ default: fake });
  await typesetter.settled();
  await frame();
  assert.deepEqual(elements.map((element) => element.outerHTML), ["<set inline>x", "<set display>y"]);
  assert.equal(typesetter.html("z"), "<set inline>z");
});

test("a load that fails is tried again with the next formula", async (context) => {
  const warned = context.mock.method(console, "warn", () => {});
  const typesetter = typesetterWith();
  typesetter.html("x");
  typesetter.asked[0].reject(new Error("offline"));
  await typesetter.settled();
  assert.match(typesetter.html("y"), /katex-source/);
  assert.equal(typesetter.asked.length, 2);
  assert.equal(warned.mock.callCount(), 1);
});

test("a formula KaTeX itself breaks on stays as it is written", async () => {
  const typesetter = typesetterWith();
  typesetter.html("x");
  typesetter.asked[0].resolve({
    default: {
      renderToString() {
        throw new RangeError("Maximum call stack size exceeded");
      },
    },
  });
  await typesetter.settled();
  assert.equal(typesetter.html("a<b"), '<code class="katex-source">a&lt;b</code>');
});

test("the KaTeX that was built sets formulas, and shows what it cannot read", async () => {
  const typesetter = createTypesetter({ load: () => import("../ui/katex.min.mjs"), page: pageWith() });
  typesetter.html("x");
  await typesetter.settled();
  assert.match(typesetter.html("\\frac{1}{2}"), /<math.*<mfrac>/s);
  assert.match(typesetter.html("x", { display: true }), /class="katex-display"/);
  assert.match(typesetter.html("\\frac{"), /katex-error/);
});

test("a formula brings no link, picture or HTML, and cannot cover the page", async () => {
  const typesetter = createTypesetter({ load: () => import("../ui/katex.min.mjs"), page: pageWith() });
  typesetter.html("x");
  await typesetter.settled();
  const attacks = [
    String.raw`\href{javascript:alert(1)}{x}`,
    String.raw`\includegraphics{http://evil/x.png}`,
    String.raw`\htmlStyle{position:fixed}{x}`,
    String.raw`\url{http://evil}`,
    "<img src=x onerror=alert(1)>",
  ];
  for (const attack of attacks) {
    assert.doesNotMatch(shown(typesetter.html(attack)), /<a\b|<img\b|href=|src=|position:\s*fixed/i, attack);
  }
  assert.doesNotMatch(shown(typesetter.html(String.raw`\rule{999em}{999em}`)), /999em/);
});

/** `html` without the formula's source, which KaTeX adds as text for whoever copies it. */
function shown(html) {
  return html.replace(/<annotation[^]*?<\/annotation>/g, "");
}
