// The library, the prompt that is chosen, and what of it goes into a chat. Nothing else talks to the server.
//
// The chosen prompt is `ctx.state.selectedPrompt`, `{id?, name?, value}` or null: without a name the user wrote it. It
// outlives the page in the extension's preferences.

/** What components use as `$prompts`. */
export function createPrompts(ctx) {
  const ext = ctx.scope("system_prompts");
  ctx.setState({ prompts: [], selectedPrompt: ext.prefs.prompt ?? null });

  const text = () => ctx.state.selectedPrompt?.value?.trim() ?? "";

  return {
    get selected() {
      return ctx.state.selectedPrompt;
    },

    /** The words the next chat begins with, or an empty text. */
    get text() {
      return text();
    },

    /** What a tooltip says. */
    get title() {
      const selected = ctx.state.selectedPrompt;
      return text() ? `System prompt: ${selected.name ?? "your own"}` : "System prompt";
    },

    /** Fetches the library. What is chosen is brought up to date if the library has it. */
    async load() {
      const api = await ext.getJson("/prompts.json");
      if (api.error) {
        ext.setError(api.error, "The library of system prompts could not be loaded");
        return;
      }
      const prompts = api.response ?? [];
      ctx.setState({ prompts });
      const selected = ctx.state.selectedPrompt;
      const known = selected?.id && prompts.find((prompt) => prompt.id === selected.id);
      if (known && known.value !== selected.value) {
        this.select(known);
      }
    },

    /** Chooses a prompt of the library; null clears. */
    select(prompt) {
      ctx.setState({ selectedPrompt: prompt });
      ext.setPrefs({ prompt });
    },

    /** Takes what the user wrote. It is a prompt of the library as long as it says the same. */
    write(value) {
      const same = ctx.state.prompts.find((prompt) => prompt.value === value);
      this.select(same ?? (value ? { value } : null));
    },

    /** For `createThreadFilters`: a new thread begins with the chosen prompt, unless it brings its own. */
    putInto: (thread) => {
      if (text() && !thread.systemPrompt) {
        thread.systemPrompt = text();
      }
    },

    /** For `chatRequestFilters`: the thread's prompt is sent, unless somebody else has said one. */
    send: ({ thread, context }) => {
      if (thread.systemPrompt && !context.systemPrompt) {
        context.systemPrompt = thread.systemPrompt;
      }
    },
  };
}

/** The prompts that have every word of `query` in their name or text, those with all of them in the name first. */
export function search(prompts, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hasAll = (text) => words.every((word) => text.toLowerCase().includes(word));
  const found = prompts.filter((prompt) => hasAll(`${prompt.name} ${prompt.value}`));
  return [...found.filter((prompt) => hasAll(prompt.name)), ...found.filter((prompt) => !hasAll(prompt.name))];
}

/** The system prompt in use in `thread`, or null where it has no messages yet and one can still be chosen. */
export function promptInUse(thread) {
  if (!thread?.messages?.length) {
    return null;
  }
  const message = thread.messages.find(({ role }) => role === "system");
  return thread.systemPrompt || textOf(message?.content) || "";
}

function textOf(content) {
  return Array.isArray(content) ? content.map((part) => part.text ?? "").join("") : content;
}
