// The panel under the top bar: the prompt in use, or before a chat has begun the editor for it.
import { computed, inject } from "vue";

import { promptInUse } from "./prompts.mjs";

export default {
  template: `
    <section aria-label="System prompt" class="p-3" :class="$styles.panel">
      <template v-if="inUse !== null">
        <h2 class="text-sm font-medium mb-1" :class="$styles.heading">System prompt of this chat</h2>
        <p v-if="inUse" class="whitespace-pre-wrap text-sm max-h-60 overflow-y-auto" tabindex="0"
            :class="$styles.textBlock">{{ inUse }}</p>
        <p v-else class="text-sm" :class="$styles.muted">This chat has none.</p>
      </template>
      <SystemPromptEditor v-else :prompts="$state.prompts" :selected="$prompts.selected"
        :modelValue="$prompts.selected?.value ?? ''"
        @update:modelValue="$prompts.write($event)" @update:selected="$prompts.select($event)" />
    </section>`,
  setup() {
    const ctx = inject("ctx");
    return { inUse: computed(() => promptInUse(ctx.threads?.currentThread.value)) };
  },
};
