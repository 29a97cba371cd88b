// The system prompt of the next chat: a panel to write or choose it, and the filters that send it.
import PromptFinder from "./PromptFinder.mjs";
import SystemPromptEditor from "./SystemPromptEditor.mjs";
import SystemPromptsIcon from "./SystemPromptsIcon.mjs";
import SystemPromptsPanel from "./SystemPromptsPanel.mjs";
import { createPrompts } from "./prompts.mjs";

export default {
  order: -70,

  install(ctx) {
    const prompts = createPrompts(ctx);
    ctx.components({ PromptFinder, SystemPromptEditor, SystemPromptsPanel });
    ctx.setGlobals({ prompts });
    ctx.setTopIcons({
      system_prompts: {
        component: SystemPromptsIcon,
        name: "System prompt",
        get title() {
          return prompts.title;
        },
        isActive: ({ top }) => top === "SystemPromptsPanel",
      },
    });
    ctx.createThreadFilters.push(prompts.putInto);
    ctx.chatRequestFilters.push(prompts.send);
  },

  load: (ctx) => ctx.prompts.load(),
};
