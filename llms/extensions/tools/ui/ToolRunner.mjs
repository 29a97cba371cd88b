// What one tool is for, a form for its arguments, and what it answers.
import { computed, inject, ref } from "vue";

import { instanceOf, missingFrom } from "./schema.mjs";

export default {
  template: `
    <form class="p-3" :class="$styles.card" :aria-label="'Run ' + tool.function.name" @submit.prevent="run">
      <h2 class="font-mono" :class="$styles.cardTitle">{{ tool.function.name }}</h2>
      <p class="text-sm whitespace-pre-wrap" :class="$styles.muted">{{ tool.function.description }}</p>
      <SchemaForm :schema="parameters" v-model="values" />
      <button type="submit" class="px-3 py-1" :class="$styles.primaryButton" :disabled="running || missing.length > 0">
        {{ running ? "Running…" : "Run" }}</button>
      <div aria-live="polite">
        <p v-if="error" role="alert" class="mt-2 text-sm" :class="$styles.bgWarning">{{ error.message }}</p>
        <ViewTypes v-if="results" class="mt-2" :results="results" />
      </div>
    </form>`,
  props: {
    tool: { type: Object, required: true },
  },
  setup(props) {
    const ctx = inject("ctx");
    const [values, running, results, error] = [ref({}), ref(false), ref(null), ref(null)];
    const parameters = computed(() => props.tool.function.parameters ?? { type: "object", properties: {} });
    const missing = computed(() => missingFrom(parameters.value, values.value));

    async function run() {
      running.value = true;
      const answer = await ctx.tools.run(props.tool.function.name, instanceOf(parameters.value, values.value));
      [results.value, error.value] = [answer.response ?? null, answer.error ?? null];
      running.value = false;
    }

    return { parameters, values, running, results, error, missing, run };
  },
};
