import assert from "node:assert/strict";
import { test } from "node:test";

import { createServerTools } from "../ui/serverTools.mjs";

const SEARCH = {
  $id: "tool://acme/search",
  title: "Search",
  properties: { type: { const: "search" }, n: { type: "integer" } },
};
const FILES = {
  $id: "tool://acme/files",
  properties: { type: { const: "files" }, ids: { type: "array", title: "Ids", items: { type: "string" } } },
  required: ["type", "ids"],
};
const OTHER = { $id: "tool://other/search", properties: { type: { const: "other" } } };
const MODEL = { name: "Acme 1", provider: "acme" };

function serverTools(prefs = {}) {
  const providers = [{ id: "acme", server_tools: [SEARCH.$id, FILES.$id, "tool://acme/unknown"] }, { id: "plain" }];
  const ctx = { state: { config: { providers }, serverTools: [SEARCH, FILES, OTHER] } };
  const ext = { prefs, setPrefs: (changes) => Object.assign(prefs, changes) };
  return { ...createServerTools(ctx, ext), prefs };
}

test("a model is offered what its provider names", () => {
  const tools = serverTools();
  assert.deepEqual(tools.offeredTo(MODEL), [SEARCH, FILES]);
  for (const model of [{ provider: "plain" }, { provider: "gone" }, undefined]) {
    assert.deepEqual(tools.offeredTo(model), []);
  }
});

test("what is switched on goes along as its form says", () => {
  const tools = serverTools();
  tools.setValues(SEARCH, { n: 3 });
  assert.deepEqual(tools.chosenFor(MODEL), []);
  tools.toggle(SEARCH, true);
  assert.deepEqual(tools.chosenFor(MODEL), [{ type: "search", n: 3 }]);
  tools.toggle(SEARCH, false);
  assert.deepEqual(tools.chosenFor(MODEL), []);
  assert.deepEqual(tools.valuesOf(SEARCH), { n: 3 });
});

test("a tool of another vendor does not go along", () => {
  const tools = serverTools();
  tools.toggle(OTHER, true);
  assert.deepEqual(tools.chosenFor(MODEL), []);
});

test("a tool that is not filled in is not on", () => {
  const tools = serverTools();
  tools.toggle(FILES, true);
  assert.equal(tools.isEnabled(FILES), false);
  assert.deepEqual(tools.missingFrom(FILES), ["Ids"]);
  tools.setValues(FILES, { ids: ["a"] });
  assert.equal(tools.isEnabled(FILES), true);
  assert.deepEqual(tools.chosenFor(MODEL), [{ type: "files", ids: ["a"] }]);
});

test("the choice is kept in the preferences, each tool by itself", () => {
  const tools = serverTools({ tab: "server" });
  tools.toggle(SEARCH, true);
  tools.setValues(FILES, { ids: ["a"] });
  assert.deepEqual(tools.prefs, {
    tab: "server",
    serverTools: { [SEARCH.$id]: { enabled: true }, [FILES.$id]: { values: { ids: ["a"] } } },
  });
});
