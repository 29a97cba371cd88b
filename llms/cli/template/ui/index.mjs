// A page of its own at /my-extension, and the button in the left bar that leads there.
import { inject, ref } from "vue";

const MyExtensionIcon = {
  template: `
    <button type="button" @click="$ctx.togglePath('/my-extension')">
      <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
        <rect x="4" y="4" width="16" height="16" rx="3" />
        <circle cx="12" cy="12" r="1.5" fill="currentColor" />
      </svg>
    </button>`,
};

const MyExtensionPage = {
  template: `
    <main class="mx-auto max-w-xl p-4">
      <h1 class="text-xl font-semibold">My extension</h1>
      <form class="mt-4 flex items-end gap-2" @submit.prevent="greet">
        <label>Your name <input v-model="name" type="text" :class="$styles.textInput" /></label>
        <button type="submit" :class="$styles.primaryButton">Say hello</button>
      </form>
      <p class="mt-4" role="status">{{ message }}</p>
    </main>`,

  setup() {
    const ext = inject("ctx").scope("my-extension"); // knows the addresses of this extension's routes
    const name = ref("");
    const message = ref("");

    async function greet() {
      const reply = await ext.getJson(`hello?${new URLSearchParams({ name: name.value })}`);
      if (reply.error) ext.setError(reply.error);
      else message.value = reply.response.message;
    }

    return { name, message, greet };
  },
};

export default {
  install(ctx) {
    ctx.components({ MyExtensionIcon, MyExtensionPage });
    ctx.routes.push({ path: "/my-extension", component: MyExtensionPage, meta: { title: "My extension" } });
    ctx.setLeftIcons({
      my_extension: {
        component: MyExtensionIcon,
        title: "My extension",
        isActive: ({ path }) => path === "/my-extension",
      },
    });
  },
};
