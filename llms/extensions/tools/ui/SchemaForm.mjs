// A form made from a JSON Schema. `v-model` is an object with what was entered, and nothing else.
import { computed, useId } from "vue";

import { changed, fieldsOf } from "./schema.mjs";

export default {
  name: "SchemaForm",
  template: `
    <div class="grid gap-2 my-1">
      <div v-for="{ name, schema, kind, required } in fields" :key="name">
        <fieldset v-if="kind === 'group'" class="pl-2 border-l" :class="$styles.borderInput">
          <legend class="text-sm font-medium" :class="$styles.labelInput">{{ schema.title ?? name }}</legend>
          <SchemaForm :schema="schema" :modelValue="modelValue[name] ?? {}" @update:modelValue="set(name, $event)" />
        </fieldset>
        <template v-else>
          <label :for="id + name" class="text-sm" :class="$styles.labelInput">
            {{ schema.title ?? name }}<span v-if="required" aria-hidden="true"> *</span></label>
          <input v-if="kind === 'flag'" :id="id + name" type="checkbox" class="ml-2" :class="$styles.checkbox"
            :checked="modelValue[name] ?? schema.default ?? false" :aria-describedby="id + name + '-help'"
            @change="set(name, $event.target.checked)">
          <select v-else-if="kind === 'choice'" :id="id + name" class="block w-full" :class="$styles.textInput"
              :value="modelValue[name] ?? ''" :required="required" :aria-describedby="id + name + '-help'"
              @change="set(name, schema.enum[$event.target.selectedIndex - 1])">
            <option value="">{{ schema.default === undefined ? "" : schema.default + " (unless chosen)" }}</option>
            <option v-for="value in schema.enum" :key="String(value)" :value="value">{{ value }}</option>
          </select>
          <input v-else-if="kind === 'number'" :id="id + name" type="number" class="block w-full"
            :class="$styles.textInput" :min="schema.minimum" :max="schema.maximum"
            :step="schema.type === 'integer' ? 1 : 'any'" :placeholder="schema.ui?.placeholder ?? schema.default"
            :value="modelValue[name]" :required="required" :aria-describedby="id + name + '-help'"
            @change="set(name, $event.target.value === '' ? undefined : $event.target.valueAsNumber)">
          <input v-else-if="isShort(schema, kind)" :id="id + name" :type="schema.format === 'date' ? 'date' : 'text'"
            class="block w-full" :class="$styles.textInput" :placeholder="schema.ui?.placeholder"
            :value="modelValue[name]" :required="required" :aria-describedby="id + name + '-help'"
            @change="set(name, $event.target.value)">
          <textarea v-else :id="id + name" :rows="kind === 'text' ? 1 : 2" class="block w-full"
            :class="$styles.textInput" :placeholder="schema.ui?.placeholder ?? schema.default"
            :value="written(kind, modelValue[name])" :required="required" :aria-describedby="id + name + '-help'"
            @change="read(name, kind, $event.target)"></textarea>
          <p v-if="help(schema, kind)" :id="id + name + '-help'" class="text-xs" :class="$styles.helpInput">
            {{ help(schema, kind) }}</p>
        </template>
      </div>
    </div>`,
  props: {
    schema: { type: Object, required: true },
    modelValue: { type: Object, default: () => ({}) },
  },
  emits: ["update:modelValue"],
  setup(props, { emit }) {
    const set = (name, value) => emit("update:modelValue", changed(props.modelValue, name, value));

    /** Takes what was typed; what is no JSON where that is wanted is told, and changes nothing. */
    function read(name, kind, element) {
      try {
        const value = readers[kind](element.value);
        element.setCustomValidity("");
        set(name, value);
      } catch {
        element.setCustomValidity("This is no JSON. Write for example {\"a\": 1} or [1, 2].");
        element.reportValidity();
      }
    }

    return { id: `${useId()}-`, fields: computed(() => fieldsOf(props.schema)), set, read, written, help, isShort };
  },
};

const readers = {
  text: (text) => text,
  texts: (text) => text.split("\n").map((line) => line.trim()).filter(Boolean),
  json: (text) => (text.trim() ? JSON.parse(text) : undefined),
};

function written(kind, value) {
  if (value === undefined) {
    return "";
  }
  return { text: value, texts: kind === "texts" && value.join("\n") }[kind] ?? JSON.stringify(value);
}

function help(schema, kind) {
  const how = { texts: "One a line.", json: "As JSON." }[kind];
  return [schema.description, how].filter(Boolean).join(" ");
}

function isShort(schema, kind) {
  return kind === "text" && Boolean(schema.format || schema.ui?.placeholder);
}
