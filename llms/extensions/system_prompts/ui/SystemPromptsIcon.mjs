// The button in the top bar.
export default {
  template: `
    <button type="button" :aria-expanded="open" :aria-label="$prompts.title"
        @click="$ctx.toggleTop('SystemPromptsPanel')">
      <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
        <path stroke-linecap="round" stroke-linejoin="round" d="M4 5h16v11H9l-5 4zM8 9h8M8 12h5" />
      </svg>
    </button>`,
  computed: {
    open() {
      return this.$layout.top === "SystemPromptsPanel";
    },
  },
};
