// The page /tools: every tool as a card, and a form to run the chosen one.
import { computed, inject } from "vue";

import ToolRunner from "./ToolRunner.mjs";

export default {
  components: { ToolRunner },
  template: `
    <div class="h-full overflow-y-auto p-4">
      <component v-for="(header, id) in $tools.toolPageHeaders" :is="header" :key="id" />
      <h1 class="text-xl font-semibold mb-2" :class="$styles.heading">Tools</h1>
      <p v-if="!groups.length" :class="$styles.muted">
        No extension offers tools. Install one with <code>llms ext add</code>.</p>
      <ToolRunner v-if="selected" :key="selected.function.name" :tool="selected" class="mb-4" />
      <section v-for="{ name, tools } in groups" :key="name" :aria-label="name" class="mb-4">
        <h2 class="font-medium mb-1" :class="$styles.heading">{{ name }}</h2>
        <ul class="grid gap-2 md:grid-cols-2 2xl:grid-cols-4">
          <li v-for="tool in tools" :key="tool.function.name">
            <button type="button" class="w-full h-full text-left p-3"
                :class="tool === selected ? $styles.cardActive : $styles.card" :aria-pressed="tool === selected"
                @click="$tools.selectTool({ group: name, tool: tool.function.name })">
              <span class="block font-mono text-sm">{{ tool.function.name }}</span>
              <span class="block text-xs line-clamp-2" :class="$styles.muted">{{ tool.function.description }}</span>
            </button>
          </li>
        </ul>
      </section>
    </div>`,
  setup() {
    const ctx = inject("ctx");
    const groups = computed(() => {
      const named = Object.entries(ctx.state.tool.groups).map(([name, tools]) => ({
        name,
        tools: tools.map((tool) => ctx.tools.getToolDefinition(tool)).filter(Boolean),
      }));
      return named.filter(({ tools }) => tools.length);
    });
    return { groups, selected: computed(() => ctx.tools.getToolDefinition(ctx.tools.selectedTool)) };
  },
};
