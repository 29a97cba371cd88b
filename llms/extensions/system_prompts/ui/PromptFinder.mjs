// A searchable list of prompts: `v-model` opens it, Escape closes it, the arrow keys walk through it.
import { computed, inject, nextTick, onMounted, onUnmounted, ref, watch } from "vue";

import { search } from "./prompts.mjs";

export default {
  template: `
    <div v-if="modelValue" class="absolute right-0 top-9 z-10 w-full max-w-md shadow-lg rounded-md p-2"
        :class="$styles.bgPopover" @keydown.down.prevent="move(1)" @keydown.up.prevent="move(-1)">
      <input ref="input" v-model="query" type="search" class="w-full mb-2" :class="$styles.textInput"
        aria-label="Search the library of system prompts" placeholder="Search" @keydown.enter.prevent="pick(found[0])">
      <ul ref="list" class="max-h-72 overflow-y-auto">
        <li v-for="prompt in found" :key="prompt.id">
          <button type="button" class="w-full text-left px-2 py-1 rounded" :class="$styles.popoverButton"
              @click="pick(prompt)">
            <span class="block text-sm font-medium">{{ prompt.name }}</span>
            <span class="block text-xs line-clamp-2" :class="$styles.muted">{{ prompt.value }}</span>
          </button>
        </li>
      </ul>
      <p role="status" class="px-2 text-xs" :class="$styles.muted">{{ told }}</p>
    </div>`,
  props: {
    modelValue: { type: Boolean, default: false },
    prompts: { type: Array, default: () => [] },
  },
  emits: ["update:modelValue", "select"],
  setup(props, { emit }) {
    const ctx = inject("ctx");
    const [query, input, list] = [ref(""), ref(null), ref(null)];
    const found = computed(() => search(props.prompts, query.value));
    const told = computed(() => (found.value.length ? `${found.value.length} prompts` : "No prompt has these words."));
    let escape;

    watch(() => props.modelValue, async (open) => {
      query.value = "";
      await nextTick();
      if (open) {
        input.value?.focus();
      }
    });
    onMounted(() => {
      escape = ctx.events.subscribe("keydown:Escape", () => emit("update:modelValue", false));
    });
    onUnmounted(() => escape.unsubscribe());

    function pick(prompt) {
      if (prompt) {
        emit("select", prompt);
      }
    }

    function move(step) {
      const stops = [input.value, ...list.value.querySelectorAll("button")];
      const next = stops.indexOf(document.activeElement) + step;
      stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
    }

    return { query, input, list, found, told, pick, move };
  },
};
