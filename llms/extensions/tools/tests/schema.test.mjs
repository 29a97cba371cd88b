import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { changed, fieldsOf, instanceOf, kindOf, missingFrom } from "../ui/schema.mjs";

const BUNDLED = JSON.parse(readFileSync(new URL("../server-tools.json", import.meta.url)));
const bundled = (id) => BUNDLED.find((schema) => schema.$id === `tool://${id}`);

test("each schema has its control", () => {
  const kinds = [
    [{ const: "x" }, "const"],
    [{ type: "string", enum: ["a"] }, "choice"],
    [{ type: "boolean" }, "flag"],
    [{ type: "integer" }, "number"],
    [{ type: "number" }, "number"],
    [{ type: "string" }, "text"],
    [{ type: "array", items: { type: "string" } }, "texts"],
    [{ type: "array", items: { type: "object" } }, "json"],
    [{ type: "array" }, "json"],
    [{ type: "object", properties: {} }, "group"],
    [{ type: "object" }, "json"],
    [{}, "json"],
    [{ type: ["null", "integer"] }, "number"],
    [{ anyOf: [{ type: "null" }, { type: "string" }], title: "x" }, "text"],
  ];
  for (const [schema, kind] of kinds) {
    assert.equal(kindOf(schema), kind, JSON.stringify(schema));
  }
});

test("what is always the same is in no form", () => {
  assert.deepEqual(fieldsOf(bundled("google/google_search")), []);
  assert.deepEqual(fieldsOf(bundled("openai/file_search")).map(({ name, kind, required }) => [name, kind, required]), [
    ["vector_store_ids", "texts", true],
    ["max_num_results", "number", false],
    ["ranking_options", "group", false],
  ]);
});

test("an empty form means the simplest choice, without any default", () => {
  assert.deepEqual(instanceOf(bundled("openrouter/web_search")), { type: "openrouter:web_search", parameters: {} });
  assert.deepEqual(instanceOf(bundled("openai/web_search")), { type: "web_search" });
  assert.deepEqual(instanceOf(bundled("openai/code_interpreter")), {
    type: "code_interpreter",
    container: { type: "auto" },
  });
});

test("what was entered is in its place, with what belongs there", () => {
  const values = { search_context_size: "high", user_location: { city: "Lisbon", country: "" }, filters: {} };
  assert.deepEqual(instanceOf(bundled("openai/web_search"), values), {
    type: "web_search",
    search_context_size: "high",
    user_location: { type: "approximate", city: "Lisbon" },
  });
});

test("false and nought are no empty values", () => {
  const values = { external_web_access: false, ranking_options: { score_threshold: 0 } };
  assert.equal(instanceOf(bundled("openai/web_search"), values).external_web_access, false);
  assert.deepEqual(instanceOf(bundled("openai/file_search"), values).ranking_options, { score_threshold: 0 });
});

test("values that a schema does not have are left out", () => {
  assert.deepEqual(instanceOf(bundled("google/google_search"), { shell: "rm" }), { type: "google_search" });
});

test("what must be filled in is told by its title", () => {
  const schema = bundled("openai/file_search");
  assert.deepEqual(missingFrom(schema), ["Vector stores"]);
  assert.deepEqual(missingFrom(schema, { vector_store_ids: [] }), ["Vector stores"]);
  assert.deepEqual(missingFrom(schema, { vector_store_ids: ["vs_1"] }), []);
});

test("an optional group asks for nothing until something is in it", () => {
  const group = { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] };
  const schema = { type: "object", properties: { group } };
  assert.deepEqual(missingFrom(schema), []);
  assert.deepEqual(missingFrom(schema, { group: { b: "x" } }), ["a"]);
  assert.deepEqual(missingFrom({ ...schema, required: ["group"] }), ["a"]);
});

test("changing a value copies, and emptying it removes it", () => {
  const values = { a: 1 };
  assert.deepEqual(changed(values, "b", 2), { a: 1, b: 2 });
  assert.deepEqual(changed(values, "a", ""), {});
  assert.deepEqual(changed(undefined, "a", 1), { a: 1 });
  assert.deepEqual(values, { a: 1 });
});
