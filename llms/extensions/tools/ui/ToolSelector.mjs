// The panel under the top bar: switches for our tools by group, and on a second tab for those of the model's vendor.
import { computed, inject } from "vue";

export default {
  template: `
    <section aria-label="Tools" class="p-3 max-h-96 overflow-y-auto" :class="$styles.panel">
      <div role="tablist" class="flex gap-2 mb-2">
        <button v-for="{ id, name } in tabs" :key="id" type="button" role="tab" :aria-selected="tab === id"
          class="px-2 py-1 text-sm" :class="tab === id ? $styles.tagButtonActive : $styles.tagButton"
          @click="$tools.setPrefs({ tab: id })">{{ name }}</button>
      </div>
      <template v-if="tab === 'server'">
        <ServerTool v-for="schema in vendors" :key="schema.$id" :schema="schema" />
      </template>
      <template v-else>
        <p v-if="model?.tool_call === false" class="text-sm mb-2" :class="$styles.muted">
          {{ model.name }} cannot call tools.</p>
        <p v-if="!all.length" class="text-sm" :class="$styles.muted">No extension offers tools.</p>
        <div v-for="{ name, tools } in groups" :key="name" role="group" :aria-label="name" class="mb-2">
          <div class="flex items-center gap-2">
            <h3 class="text-sm font-medium" :class="$styles.heading">{{ name }}</h3>
            <button type="button" class="text-xs" :class="$styles.textLink" :disabled="$tools.extent(tools) === 'all'"
              :aria-label="'All of ' + name" @click="$tools.toggleTools(tools, true)">all</button>
            <button type="button" class="text-xs" :class="$styles.textLink" :disabled="$tools.extent(tools) === 'none'"
              :aria-label="'None of ' + name" @click="$tools.toggleTools(tools, false)">none</button>
          </div>
          <div v-if="tools !== all" class="flex flex-wrap gap-1 mt-1">
            <button v-for="tool in tools" :key="tool" type="button" class="px-2 py-0.5 text-xs"
              :aria-pressed="$tools.isToolEnabled(tool)" :title="describe(tool)"
              :class="$tools.isToolEnabled(tool) ? $styles.tagButtonActive : $styles.tagButton"
              @click="$tools.toggleTool(tool)">{{ tool }}</button>
          </div>
        </div>
      </template>
    </section>`,
  setup() {
    const ctx = inject("ctx");
    const { tools } = ctx;
    const model = computed(() => ctx.chat.getSelectedModel());
    const vendors = computed(() => tools.server.offeredTo(model.value));
    const all = computed(() => tools.availableTools.value.map((tool) => tool.function.name));
    const groups = computed(() => {
      const named = Object.entries(ctx.state.tool.groups).map(([name, some]) => ({
        name,
        tools: some.filter((tool) => all.value.includes(tool)),
      }));
      const shown = named.filter((group) => group.tools.length);
      return shown.length > 1 ? [{ name: "All tools", tools: all.value }, ...shown] : shown;
    });
    const tabs = computed(() => [
      { id: "tools", name: "Tools" },
      ...(vendors.value.length ? [{ id: "server", name: `Tools of ${model.value.provider}` }] : []),
    ]);
    const tab = computed(() => (tabs.value.some(({ id }) => id === tools.prefs.tab) ? tools.prefs.tab : "tools"));
    const describe = (name) => tools.getToolDefinition(name)?.function.description;
    return { model, vendors, all, groups, tabs, tab, describe };
  },
};
