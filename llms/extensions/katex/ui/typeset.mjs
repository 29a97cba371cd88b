// Formulas as HTML. KaTeX is large and most pages have no maths, so it is loaded for the first formula; until it is
// there a formula stands in the page as it was written.

const OPTIONS = {
  throwOnError: false,
  strict: "ignore", // no words in the console about what a model wrote
  trust: false, // no links, images or HTML out of a formula
  maxSize: 20, // em: no rule or space may cover the page
};

/** `load()` imports KaTeX; `page` is the document whose waiting formulas are set once that is done. */
export function createTypesetter({ load, page }) {
  let katex;
  let loading;

  /** What stands for the formula `tex` in the page. */
  function html(tex, { display = false } = {}) {
    if (katex) {
      return typeset(katex, tex, display);
    }
    loading ??= load().then(arrived, failed);
    return waiting(tex, display);
  }

  function arrived(module) {
    katex = module.default;
    requestFrame(() => page.querySelectorAll(".katex-source").forEach(set));
  }

  function failed(error) {
    loading = undefined; // the next formula asks again
    console.warn("KaTeX could not be loaded: formulas stay as they are written.", error);
  }

  function set(element) {
    element.outerHTML = typeset(katex, element.textContent, element.matches(".katex-display"));
  }

  return { html, settled: () => loading };
}

function typeset(katex, tex, display) {
  try {
    return katex.renderToString(tex, { ...OPTIONS, displayMode: display });
  } catch {
    return waiting(tex, display); // an error of KaTeX's own, such as a formula nested too deeply
  }
}

function waiting(tex, display) {
  return `<code class="katex-source${display ? " katex-display" : ""}">${escaped(tex)}</code>`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[mark]);
}

// After the answer that asked for it has been put into the page; frames do not come to a hidden tab.
function requestFrame(callback) {
  setTimeout(callback, 0);
}
