import assert from "node:assert/strict";
import { test } from "node:test";

import { createPrompts, promptInUse, search } from "../ui/prompts.mjs";

const PIRATE = { id: "pirate", name: "Pirate", value: "Answer as a pirate would." };
const TEACHER = { id: "teacher", name: "Patient Teacher", value: "You teach. No pirate talk." };

/** As much of the page's `ctx` as prompts need. `answer` is what the server says. */
function page({ prefs = {}, answer = { response: [PIRATE, TEACHER] } } = {}) {
  const errors = [];
  const ext = {
    prefs,
    setPrefs: (changes) => Object.assign(prefs, changes),
    getJson: async (path) => (path === "/prompts.json" ? answer : { error: { message: path } }),
    setError: (error) => errors.push(error),
  };
  const ctx = { state: {}, errors, scope: () => ext, setState: (changes) => Object.assign(ctx.state, changes) };
  ctx.prompts = createPrompts(ctx);
  return ctx;
}

test("the library is fetched into the page's state", async () => {
  const ctx = page();
  assert.deepEqual(ctx.state.prompts, []);
  await ctx.prompts.load();
  assert.deepEqual(ctx.state.prompts, [PIRATE, TEACHER]);
});

test("a library that cannot be fetched is told, and leaves what there is", async () => {
  const ctx = page({ answer: { error: { message: "gone" } }, prefs: { prompt: PIRATE } });
  await ctx.prompts.load();
  assert.deepEqual(ctx.errors, [{ message: "gone" }]);
  assert.equal(ctx.prompts.text, PIRATE.value);
});

test("what was chosen outlives the page, and follows the library", async () => {
  const prefs = {};
  page({ prefs }).prompts.select(PIRATE);
  const newer = { ...PIRATE, value: "Arr." };
  const ctx = page({ prefs, answer: { response: [newer] } });
  assert.equal(ctx.prompts.text, PIRATE.value);
  await ctx.prompts.load();
  assert.equal(ctx.prompts.text, "Arr.");
  assert.deepEqual(prefs.prompt, newer);
});

test("what the user wrote is their own until it is the library's again", async () => {
  const ctx = page();
  await ctx.prompts.load();
  ctx.prompts.write("Be kind.");
  assert.deepEqual(ctx.state.selectedPrompt, { value: "Be kind." });
  assert.equal(ctx.prompts.title, "System prompt: your own");
  ctx.prompts.write(PIRATE.value);
  assert.deepEqual(ctx.state.selectedPrompt, PIRATE);
  ctx.prompts.write("");
  assert.equal(ctx.state.selectedPrompt, null);
  assert.equal(ctx.prompts.title, "System prompt");
});

test("a new thread begins with the chosen prompt, unless it brings its own", () => {
  const ctx = page({ prefs: { prompt: PIRATE } });
  const [thread, other] = [{}, { systemPrompt: "own" }];
  ctx.prompts.putInto(thread);
  ctx.prompts.putInto(other);
  assert.equal(thread.systemPrompt, PIRATE.value);
  assert.equal(other.systemPrompt, "own");
});

test("no prompt, or one of spaces, is put nowhere", () => {
  for (const prompt of [null, { value: "  " }]) {
    const thread = {};
    page({ prefs: { prompt } }).prompts.putInto(thread);
    assert.deepEqual(thread, {});
  }
});

test("the thread's prompt is sent where nobody else has said one", () => {
  const { prompts } = page();
  const [empty, taken] = [{ systemPrompt: "" }, { systemPrompt: "the profile's" }];
  prompts.send({ thread: { systemPrompt: "x" }, context: empty });
  prompts.send({ thread: { systemPrompt: "x" }, context: taken });
  prompts.send({ thread: {}, context: empty });
  assert.equal(empty.systemPrompt, "x");
  assert.equal(taken.systemPrompt, "the profile's");
});

test("the search finds all words, and puts those in the name first", () => {
  assert.deepEqual(search([TEACHER, PIRATE], "PIRATE"), [PIRATE, TEACHER]);
  assert.deepEqual(search([TEACHER, PIRATE], "pirate talk"), [TEACHER]);
  assert.deepEqual(search([TEACHER, PIRATE], "  "), [TEACHER, PIRATE]);
  assert.deepEqual(search([TEACHER, PIRATE], "nothing"), []);
});

test("a chat that has begun shows the prompt it began with", () => {
  assert.equal(promptInUse(undefined), null);
  assert.equal(promptInUse({ messages: [] }), null);
  assert.equal(promptInUse({ messages: [{ role: "user" }], systemPrompt: "x" }), "x");
  const parts = [{ type: "text", text: "in the " }, { type: "text", text: "messages" }];
  assert.equal(promptInUse({ messages: [{ role: "system", content: parts }] }), "in the messages");
  assert.equal(promptInUse({ messages: [{ role: "user", content: "hi" }] }), "");
});
