import assert from "node:assert/strict";
import { test } from "node:test";

import { createSelection, putTools } from "../ui/selection.mjs";

/** A selection of these tools, with the list that is on. */
function selectionOf(names, only = null) {
  const state = { only };
  const save = (list) => {
    state.only = list;
  };
  return { ...createSelection({ names: () => names, only: () => state.only, save }), state };
}

test("without a list all tools are on", () => {
  for (const only of [null, undefined]) {
    const tools = selectionOf(["a", "b"], only);
    assert.ok(tools.isToolEnabled("a"));
    assert.equal(tools.extent(), "all");
    assert.equal(tools.selector(), "all");
  }
});

test("switching one off names the others", () => {
  const tools = selectionOf(["a", "b", "c"]);
  tools.disableTool("b");
  assert.deepEqual(tools.state.only, ["a", "c"]);
  assert.equal(tools.extent(), "some");
  assert.equal(tools.selector(), "a,c");
});

test("switching the last one on is all again, those to come too", () => {
  const tools = selectionOf(["a", "b"], ["a"]);
  tools.enableTool("b");
  assert.equal(tools.state.only, null);
});

test("an empty list means none", () => {
  const tools = selectionOf(["a", "b"], []);
  assert.equal(tools.extent(), "none");
  assert.equal(tools.selector(), "none");
  tools.toggleTool("a");
  assert.deepEqual(tools.state.only, ["a"]);
  tools.toggleTool("a");
  assert.deepEqual(tools.state.only, []);
});

test("a tool can be set to what it already is", () => {
  const tools = selectionOf(["a", "b"], ["a"]);
  tools.toggleTool("a", true);
  assert.deepEqual(tools.state.only, ["a"]);
});

test("a group is switched as one", () => {
  const tools = selectionOf(["a", "b", "c"]);
  tools.toggleTools(["a", "b"], false);
  assert.deepEqual(tools.state.only, ["c"]);
  assert.equal(tools.extent(["a", "b"]), "none");
  assert.equal(tools.extent(["c"]), "all");
});

test("names of tools that are gone are not sent", () => {
  assert.equal(selectionOf(["a"], ["gone"]).selector(), "none");
  assert.equal(selectionOf(["a"], ["gone", "a"]).selector(), "a");
});

test("a request says which tools it may use, unless somebody has", () => {
  const [request, chosen] = [{ metadata: {} }, { metadata: { tools: "x" } }];
  putTools(request, { selector: "a,b", vendors: [] });
  putTools(chosen, { selector: "all", vendors: [] });
  assert.deepEqual(request, { metadata: { tools: "a,b" } });
  assert.equal(chosen.metadata.tools, "x");
});

test("a vendor's tool is put beside those of the request, once", () => {
  const search = { type: "web_search", filters: { allowed_domains: ["a"] } };
  const request = { metadata: {}, tools: [{ type: "file_search" }] };
  putTools(request, { selector: "all", vendors: [search] });
  putTools(request, { selector: "all", vendors: [structuredClone(search)] });
  assert.deepEqual(request.tools, [{ type: "file_search" }, search]);
});
