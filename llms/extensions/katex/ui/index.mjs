// Maths in Markdown. What is a formula stands in formulas.mjs, how it is shown in typeset.mjs.
import { mathExtensions } from "./formulas.mjs";
import { createTypesetter } from "./typeset.mjs";

export default {
  install(ctx) {
    const typesetter = createTypesetter({ load: () => import("katex"), page: document });
    ctx.marked.use({ extensions: mathExtensions(typesetter.html) });
  },
};
