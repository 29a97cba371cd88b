// Part of the page only with `llms --dev`: loads it anew when an extension's code has changed.
const events = new EventSource('/ext/events')
events.addEventListener('reload', () => location.reload())
