// The two buttons: in the top bar for the panel, at the left for the page.
const WRENCH = `
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
    <path stroke-linecap="round" stroke-linejoin="round"
      d="M14.5 6.5a4 4 0 0 1 5-3.9l-2.6 2.6.4 1.5 1.5.4 2.6-2.6a4 4 0 0 1-5.4 4.7L8.5 16.7
        a2.5 2.5 0 1 1-3.5-3.5l7.5-7.5" />
  </svg>`;

/** Green while all tools are on, blue while some are. */
export const ToolsIcon = {
  template: `
    <button type="button" :class="colour" :aria-label="'Tools: ' + $tools.extent()"
      :aria-expanded="$layout.top === 'ToolSelector'" @click="$ctx.toggleTop('ToolSelector')">${WRENCH}</button>`,
  computed: {
    colour() {
      return { all: this.$styles.iconFull, some: this.$styles.iconPartial }[this.$tools.extent()];
    },
  },
};

export const ToolsPageIcon = {
  template: `<button type="button" aria-label="Tools" @click="$ctx.togglePath('/tools')">${WRENCH}</button>`,
};
