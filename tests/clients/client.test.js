// OpenAI's client for node; `servers.py` says where the gateway is.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

const client = new OpenAI({
  baseURL: `${process.env.GATEWAY}/v1`,
  apiKey: process.env.GATEWAY_KEY,
  maxRetries: 0,
});
const messages = [{ role: "user", content: "hello there" }];
const weather = { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } };

test("the router chooses", async () => {
  const { data, response } = await client.chat.completions.create({ model: "auto", messages }).withResponse();
  assert.equal(response.headers.get("x-farthing-model"), data.model);
  assert.match(data.choices[0].message.content, /hello there/);
});

test("a stream says what the whole says", async () => {
  const whole = await client.chat.completions.create({ model: "plain", messages });
  let said = "";
  let reason = null;
  for await (const chunk of await client.chat.completions.create({ model: "plain", messages, stream: true })) {
    said += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  assert.equal(said, whole.choices[0].message.content);
  assert.equal(reason, "stop");
});

test("tools are called", async () => {
  const asked = [{ role: "user", content: "use a tool" }];
  const answer = await client.chat.completions.create({ model: "auto", messages: asked, tools: [weather] });
  assert.equal(answer.choices[0].message.tool_calls[0].function.name, "weather");
});

test("the next model in the list answers", async () => {
  const answer = await client.chat.completions.create({ model: "broken", models: ["plain"], messages });
  assert.equal(answer.model, "plain");
});

for (const [model, kind] of [
  ["nobody", OpenAI.NotFoundError],
  ["broken", OpenAI.InternalServerError],
  ["limited", OpenAI.RateLimitError],
]) {
  test(`errors have their types: ${model}`, async () => {
    await assert.rejects(client.chat.completions.create({ model, messages }), kind);
  });
}

for (const model of ["cut", "fails-midway"]) {
  test(`a stream that breaks is an error: ${model}`, async () => {
    await assert.rejects(async () => {
      for await (const _chunk of await client.chat.completions.create({ model, messages, stream: true }));
    }, OpenAI.APIError);
  });
}

test("responses and embeddings", async () => {
  const answer = await client.responses.create({ model: "plain", input: "hello there" });
  assert.match(answer.output_text, /hello there/);
  const embedded = await client.embeddings.create({ model: "plain", input: "a" });
  assert.equal(embedded.data.length, 1);
});
