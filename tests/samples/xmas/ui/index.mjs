// Vue 3 Component
const MyComponent = {
  template: `...`
}

// ui/index.mjs
export default {
  install(ctx) {
    // Register or replace components, add routes, etc.
    ctx.components({ MyComponent })
  }
}
