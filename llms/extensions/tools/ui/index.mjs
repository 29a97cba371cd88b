// Tools: the panel that switches them, the page that shows and runs them, and the filter that sends the choice.
import SchemaForm from "./SchemaForm.mjs";
import ServerTool from "./ServerTool.mjs";
import ToolSelector from "./ToolSelector.mjs";
import { ToolsIcon, ToolsPageIcon } from "./icons.mjs";
import { createTools } from "./tools.mjs";

export default {
  order: -90,

  install(ctx) {
    const tools = createTools(ctx);
    ctx.setGlobals({ tools });
    ctx.components({ SchemaForm, ServerTool, ToolSelector });
    ctx.routes.push({ path: "/tools", component: () => import("./Tools.mjs"), meta: { title: "Tools" } });
    ctx.setLeftIcons({ tools: { component: ToolsPageIcon, isActive: ({ path }) => path === "/tools" } });
    ctx.setTopIcons({
      tools: { component: ToolsIcon, title: "Tools of the next answer", isActive: ({ top }) => top === "ToolSelector" },
    });
    ctx.chatRequestFilters.push((chat) => tools.send(chat));
  },

  load: (ctx) => ctx.tools.load(),
};
