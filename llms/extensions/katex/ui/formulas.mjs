// Finds formulas in Markdown, as extensions for marked (https://marked.js.org/using_pro#extensions).
//
// Models write both TeX's brackets and dollars. A dollar is also a currency, so it opens a formula only before a
// character that is no space, and closes one only after such a character and not before a digit.
// No pattern can go over a text twice: an opening mark that is never closed must not hold up the page.

const DOLLARS = String.raw`((?:\\[^]|[^\\$]|\$(?!\$))+?)\$\$`;
const BRACKETS = String.raw`((?:[^\\]|\\[^[\]])+?)\\\]`;
const PARENTHESES = String.raw`((?:[^\\]|\\[^()])+?)\\\)`;
const DOLLAR = String.raw`(?![\s$])((?:\\[^]|[^\\$])+?)(?<!\s)\$(?!\d)`;

const BLOCKS = [`\\$\\$${DOLLARS}`, `\\\\\\[${BRACKETS}`].map((rule) => new RegExp(`^ {0,3}${rule}[ \\t]*(?:\\n|$)`));
const DISPLAYED = [`\\$\\$${DOLLARS}`, `\\\\\\[${BRACKETS}`].map((rule) => new RegExp(`^${rule}`));
const INLINE = [`\\$${DOLLAR}`, `\\\\\\(${PARENTHESES}`].map((rule) => new RegExp(`^${rule}`));
const BLOCK_LINE = /\n {0,3}(?:\$\$|\\\[)/g;
const PARAGRAPH_END = /\n[ \t]*\n/;

/** The two extensions; `html(tex, {display})` gives what stands for a formula in the page. */
export function mathExtensions(html) {
  return [blockKatex(html), inlineKatex(html)];
}

/** A formula on lines of its own. */
export function blockKatex(html) {
  return {
    name: "blockKatex",
    level: "block",
    start: blockStart,
    tokenizer: (source) => token("blockKatex", source, BLOCKS, true),
    renderer: ({ text, display }) => html(text, { display }),
  };
}

/** A formula in a line; with double marks it is set like one on lines of its own. */
export function inlineKatex(html) {
  return {
    name: "inlineKatex",
    level: "inline",
    start: (source) => source.match(/\$|\\[([]/)?.index,
    tokenizer: (source) =>
      token("inlineKatex", source, DISPLAYED, true) ?? token("inlineKatex", source, INLINE, false),
    renderer: ({ text, display }) => html(text, { display }),
  };
}

// Where the next formula begins that can end this paragraph. marked cuts the paragraph there and begins anew, which
// takes long where nothing comes of it: so only what really is a formula counts.
function blockStart(source) {
  const end = source.search(PARAGRAPH_END);
  const paragraph = end < 0 ? source : source.slice(0, end);
  for (const { index } of paragraph.matchAll(BLOCK_LINE)) {
    if (token("blockKatex", source.slice(index + 1), BLOCKS, true)) {
      return index + 1;
    }
  }
  return undefined;
}

function token(type, source, rules, display) {
  for (const rule of rules) {
    const [raw, text] = rule.exec(source) ?? [];
    if (text?.trim() && !PARAGRAPH_END.test(text)) {
      return { type, raw, text: text.trim(), display };
    }
  }
  return undefined;
}
