// One of a vendor's own tools: a switch, and a form for its settings.
import { computed, inject } from "vue";

import { fieldsOf } from "./schema.mjs";

export default {
  template: `
    <details class="mb-2">
      <summary class="flex items-center gap-2 text-sm cursor-pointer">
        <input type="checkbox" :class="$styles.checkbox" :checked="enabled" :disabled="missing.length > 0"
          :aria-label="schema.title" @click.stop @change="server.toggle(schema, $event.target.checked)">
        <span class="font-medium">{{ schema.title }}</span>
        <span :class="$styles.muted">{{ schema.description }}</span>
      </summary>
      <div class="pl-6 pt-1">
        <p v-if="missing.length" class="text-xs" :class="$styles.muted">Fill in first: {{ missing.join(", ") }}.</p>
        <p v-if="schema.ui?.needs" class="text-xs" :class="$styles.muted">Needs: {{ schema.ui.needs }}</p>
        <SchemaForm v-if="hasFields" :schema="schema" :modelValue="server.valuesOf(schema)"
          @update:modelValue="server.setValues(schema, $event)" />
        <a v-if="schema.ui?.docs" :href="schema.ui.docs" target="_blank" rel="noopener noreferrer" class="text-xs"
          :class="$styles.textLink">Documentation</a>
      </div>
    </details>`,
  props: {
    schema: { type: Object, required: true },
  },
  setup(props) {
    const { server } = inject("ctx").tools;
    return {
      server,
      enabled: computed(() => server.isEnabled(props.schema)),
      missing: computed(() => server.missingFrom(props.schema)),
      hasFields: computed(() => fieldsOf(props.schema).length > 0),
    };
  },
};
