// Runs one scenario with OpenAI's own client and prints what the client made of the server's answer.
//   LLMS_URL=http://127.0.0.1:8000/v1 node client.mjs streamed

import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.LLMS_URL, apiKey: "unused", maxRetries: 0, timeout: 20_000 });
const chat = { model: "fake-model", messages: [{ role: "user", content: "Hi" }] };
const tools = [{ type: "function", function: { name: "add", parameters: { type: "object", properties: {} } } }];

/** What the client tells of the error that `ask` ends with. */
async function failure(ask) {
  try {
    await ask();
  } catch (error) {
    const { name, status, code, param, message } = error;
    return { class: error.constructor.name, name, status, code, param, message };
  }
  return "no error";
}

const scenarios = {
  async whole() {
    const { choices, usage, metadata } = await client.chat.completions.create(chat);
    return { text: choices[0].message.content, tokens: usage.total_tokens, measured: "duration" in metadata };
  },
  async streamed() {
    const texts = [];
    for await (const part of await client.chat.completions.create({ ...chat, stream: true })) {
      texts.push(part.choices[0].delta.content ?? "");
    }
    return texts.join("");
  },
  async usage() {
    const asked = { ...chat, stream: true, stream_options: { include_usage: true } };
    const parts = [];
    for await (const part of await client.chat.completions.create(asked)) parts.push(part);
    const last = parts.at(-1);
    return { choices: last.choices, tokens: last.usage.total_tokens, told: parts.filter((part) => part.usage).length };
  },
  async assembled() {
    const answer = await client.chat.completions.stream(chat).finalChatCompletion();
    return answer.choices[0].message.content;
  },
  async raw() {
    const options = { headers: { "X-Request-Id": "mine" } };
    const { data, response, request_id } = await client.chat.completions.create(chat, options).withResponse();
    return { status: response.status, request_id, text: data.choices[0].message.content };
  },
  async tools() {
    const answer = await client.chat.completions.stream({ ...chat, tools }).finalChatCompletion();
    const { name, arguments: given } = answer.choices[0].message.tool_calls[0].function;
    return { name, arguments: JSON.parse(given) };
  },
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return ids;
  },
  refused: () => failure(() => client.chat.completions.create(chat)),
  unknown: () => failure(() => client.chat.completions.create({ ...chat, model: "fake-modle" })),
  broken: () => failure(() => scenarios.streamed()),
  async left() {
    const stream = await client.chat.completions.create({ ...chat, stream: true });
    for await (const part of stream) if (part.choices[0].delta.content) break;
    return "left";
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
