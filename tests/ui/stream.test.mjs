import assert from "node:assert/strict";
import { test } from "node:test";

import { EventDecoder, eventData } from "../../llms/ui/stream.mjs";

const bytes = (text) => new TextEncoder().encode(text);
const decode = (...chunks) => {
  const decoder = new EventDecoder();
  return chunks.flatMap((chunk) => decoder.feed(chunk));
};

test("events come out whole wherever the bytes are cut", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const wire = bytes(["data: grüße 🌍", "", ": keep-alive", "", "data: [DONE]", "", ""].join(end) + end);
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        const pieces = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)];
        assert.deepEqual(decode(...pieces), ["grüße 🌍", "[DONE]"], `${JSON.stringify(end)} at ${first}, ${second}`);
      }
    }
  }
});

test("an event is given as soon as its blank line is there", () => {
  const decoder = new EventDecoder();
  assert.deepEqual(decoder.feed(bytes("data: a\n")), []);
  assert.deepEqual(decoder.feed(bytes("\ndata: b")), ["a"]);
});

test("several data lines make one event", () => {
  assert.deepEqual(decode(bytes("data: one\ndata:two\ndata\n\n")), ["one\ntwo\n"]);
});

test("comments, other fields and events without data are skipped", () => {
  assert.deepEqual(decode(bytes(": hello\n\nevent: ping\nid: 7\nretry: 1\n\ndatabase: x\n\ndata: a\n\n")), ["a"]);
});

test("only one space after the colon is dropped", () => {
  assert.deepEqual(decode(bytes("data:  indented: yes\n\n")), [" indented: yes"]);
});

test("an event that was cut off never counts", async () => {
  async function* chunks() {
    yield bytes("data: a\n\ndata: hal");
  }
  const given = [];
  for await (const data of eventData(chunks())) given.push(data);
  assert.deepEqual(given, ["a"]);
});
