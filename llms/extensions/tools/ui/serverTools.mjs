// The tools that vendors run themselves: which of them the chosen model's provider has, and which are switched on.
//
// What is switched on, and how it is set, is in the extension's preferences: `serverTools[id] = {enabled, values}`.
import { instanceOf, missingFrom } from "./schema.mjs";

/** What components use as `$tools.server`. */
export function createServerTools(ctx, ext) {
  const choice = (id) => ext.prefs.serverTools?.[id] ?? {};

  function choose(id, changes) {
    ext.setPrefs({ serverTools: { ...ext.prefs.serverTools, [id]: { ...choice(id), ...changes } } });
  }

  return {
    /** The schemas of the tools that `model` may be given. */
    offeredTo(model) {
      const provider = ctx.state.config?.providers?.find(({ id }) => id === model?.provider);
      const ids = provider?.server_tools ?? [];
      return (ctx.state.serverTools ?? []).filter((schema) => ids.includes(schema.$id));
    },

    valuesOf: (schema) => choice(schema.$id).values ?? {},
    setValues: (schema, values) => choose(schema.$id, { values }),

    /** What still has to be filled in before the tool can be used. */
    missingFrom: (schema) => missingFrom(schema, choice(schema.$id).values),

    isEnabled(schema) {
      return Boolean(choice(schema.$id).enabled) && !this.missingFrom(schema).length;
    },

    toggle: (schema, enabled) => choose(schema.$id, { enabled }),

    /** What goes into a chat's `tools` for `model`. */
    chosenFor(model) {
      const enabled = this.offeredTo(model).filter((schema) => this.isEnabled(schema));
      return enabled.map((schema) => instanceOf(schema, choice(schema.$id).values));
    },
  };
}
