// Which tools are switched on. All are until one is switched off; from then on only those named, until it is all again.

/** `names()` tells all tools, `only()` the list that is on or null for all, and `save(list)` keeps another. */
export function createSelection({ names, only, save }) {
  const enabled = () => names().filter(isToolEnabled);

  function isToolEnabled(name) {
    return only()?.includes(name) ?? true;
  }

  function setEnabled(wanted) {
    const all = names();
    save(all.every((name) => wanted.has(name)) ? null : all.filter((name) => wanted.has(name)));
  }

  /** Switches all of `some` on or off. */
  function toggleTools(some, enable) {
    const wanted = new Set(enabled());
    for (const name of some) {
      wanted[enable ? "add" : "delete"](name);
    }
    setEnabled(wanted);
  }

  return {
    isToolEnabled,
    toggleTools,
    enableTool: (name) => toggleTools([name], true),
    disableTool: (name) => toggleTools([name], false),
    toggleTool: (name, enable = !isToolEnabled(name)) => toggleTools([name], enable),

    /** How much is on: `all`, `some` or `none`. */
    extent(some = names()) {
      const count = some.filter(isToolEnabled).length;
      return count === some.length ? "all" : count ? "some" : "none";
    },

    /** As chats say it: `all`, `none`, or names with commas. */
    selector() {
      return only() ? enabled().join(",") || "none" : "all";
    },
  };
}

/** Says in `request` which of our tools it may use, unless somebody has, and adds those that vendors run, once. */
export function putTools(request, { selector, vendors }) {
  request.metadata.tools ??= selector;
  const known = (request.tools ?? []).map((tool) => JSON.stringify(tool));
  const more = vendors.filter((tool) => !known.includes(JSON.stringify(tool)));
  if (more.length) {
    request.tools = [...(request.tools ?? []), ...more];
  }
}
