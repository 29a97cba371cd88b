import assert from "node:assert/strict";
import { test } from "node:test";

import { Conversation } from "../../llms/ui/conversation.mjs";

function memory(stored = null) {
  return { getItem: () => stored, setItem: (_key, value) => (stored = value) };
}

test("what was said is there again after a reload", () => {
  const storage = memory();
  const before = new Conversation(storage);
  before.ask("Hi");
  Object.assign(before.beginAnswer(), { content: "Hello", state: "done" });
  before.save();
  assert.deepEqual(new Conversation(storage).messages, before.messages);
});

test("an answer that was streaming at the reload has stopped", () => {
  const storage = memory();
  const before = new Conversation(storage);
  before.beginAnswer().content = "Half";
  before.save();
  const [{ content, state }] = new Conversation(storage).messages;
  assert.deepEqual({ content, state }, { content: "Half", state: "stopped" });
});

test("what cannot be understood is an empty conversation", () => {
  for (const stored of ["{", "{}", "null", "7", "[null, 7]"]) {
    assert.deepEqual(new Conversation(memory(stored)).messages, []);
  }
});

test("the model hears no reasoning, and no answer that never began", () => {
  const conversation = new Conversation(memory());
  conversation.ask("Hi");
  Object.assign(conversation.beginAnswer(), { content: "Hello", reasoning: "Polite." });
  conversation.ask("More");
  conversation.beginAnswer();
  assert.deepEqual(conversation.forModel(), [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello" },
    { role: "user", content: "More" },
  ]);
});
