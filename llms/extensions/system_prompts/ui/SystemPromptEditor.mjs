// A text field for a system prompt, with the library beside it. `selected` is the library's prompt, if it is one.
import { ref } from "vue";

export default {
  template: `
    <div class="relative">
      <div class="flex items-center gap-2 mb-1">
        <label for="system-prompt" class="text-sm font-medium" :class="$styles.labelInput">System prompt</label>
        <span v-if="selected?.name" class="text-xs" :class="$styles.tagLabel">{{ selected.name }}</span>
        <span class="flex-1"></span>
        <button v-if="modelValue" type="button" class="text-sm px-2 py-1" :class="$styles.secondaryButton"
          @click="clear">Clear</button>
        <button v-if="prompts.length" type="button" class="text-sm px-2 py-1" :class="$styles.secondaryButton"
          :aria-expanded="finding" @click="finding = !finding">Library</button>
      </div>
      <PromptFinder v-model="finding" :prompts="prompts" @select="choose" />
      <textarea id="system-prompt" rows="4" class="w-full" :class="$styles.textInput" :value="modelValue"
        placeholder="Who shall the model be, and how shall it answer?"
        @input="$emit('update:modelValue', $event.target.value)"></textarea>
    </div>`,
  props: {
    prompts: { type: Array, default: () => [] },
    selected: { type: Object, default: null },
    modelValue: { type: String, default: "" },
  },
  emits: ["update:modelValue", "update:selected"],
  setup(_, { emit }) {
    const finding = ref(false);

    function choose(prompt) {
      finding.value = false;
      emit("update:selected", prompt);
    }

    return { finding, choose, clear: () => emit("update:selected", null) };
  },
};
