// The tools that run on our server: which there are, which are switched on, and what of that goes into a chat.
//
// `ctx.prefs.onlyTools` says which are on: null means all, a list only these.
import { computed, reactive } from "vue";

import { createSelection, putTools } from "./selection.mjs";
import { createServerTools } from "./serverTools.mjs";

/** What components and other extensions use as `$tools`. */
export function createTools(ctx) {
  const ext = ctx.scope("tools");
  const toolPageHeaders = reactive({});
  ctx.setState({ tool: { groups: {}, definitions: [] }, serverTools: [] });
  const functions = () => ctx.state.tool.definitions.filter(({ type }) => type === "function");
  const selection = createSelection({
    names: () => functions().map((tool) => tool.function.name),
    only: () => ctx.prefs.onlyTools,
    save: (onlyTools) => ctx.setPrefs({ onlyTools }),
  });
  const server = createServerTools(ctx, ext);

  return {
    ...selection,
    server,
    prefs: ext.prefs,
    setPrefs: (changes) => ext.setPrefs(changes),
    availableTools: computed(functions),
    toolPageHeaders,
    setToolPageHeaders: (headers) => Object.assign(toolPageHeaders, headers),

    get selectedGroup() {
      return ext.prefs.selectedGroup;
    },
    get selectedTool() {
      return ext.prefs.selectedTool;
    },

    /** Opens a tool on its page. */
    selectTool({ group, tool }) {
      ext.setPrefs({ selectedGroup: group, selectedTool: tool });
      if (!ctx.matchesPath(ctx.layout.path ?? "", "/tools")) {
        ctx.to("/tools");
      }
    },

    getToolDefinition: (name) => functions().find((tool) => tool.function.name === name),

    /** Fetches all tools, ours and vendors'. */
    async load() {
      const [ours, vendors] = await Promise.all([ext.getJson("/"), ext.getJson("/server")]);
      for (const { error } of [ours, vendors]) {
        if (error) {
          ext.setError(error, "The list of tools could not be loaded");
        }
      }
      ctx.setState({
        tool: ours.error ? ctx.state.tool : ours.response,
        serverTools: vendors.error ? ctx.state.serverTools : vendors.response,
      });
    },

    /** Runs a tool; gives `{response}` with the parts of its answer, or `{error}`. */
    run: (name, args) => ext.postJson(`/exec/${encodeURIComponent(name)}`, args),

    /** For `chatRequestFilters`: what is switched on goes along, and what the model cannot use does not. */
    send: ({ request, model }) =>
      putTools(request, {
        selector: model?.tool_call === false ? "none" : selection.selector(),
        vendors: server.chosenFor(model),
      }),
  };
}
