// The Vercel AI SDK with its provider for servers that speak OpenAI's protocol, as anybody would use it,
// against a client's front. Prints how many requests were answered.
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, streamText } from "ai";

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, MODEL: name } = process.env;
const gridproof = createOpenAICompatible({ name: "gridproof", baseURL, apiKey, includeUsage: true });
const asked = { model: gridproof(name), maxRetries: 0, maxOutputTokens: 12, temperature: 0 };
const prompt = "Say something about energy.";

// The SDK has no call for the list of models.
const listed = await (await fetch(`${baseURL}/models`)).json();
assert(listed.data.some((model) => model.id === name));

const answer = await generateText({ ...asked, prompt });
assert(answer.text.length > 0);
assert(["stop", "length"].includes(answer.finishReason), answer.finishReason);
assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens);

const stream = streamText({ ...asked, prompt, onError: ({ error }) => assert.fail(error) });
let text = "";
for await (const piece of stream.textStream) text += piece;
assert.equal(text, answer.text, "the likeliest tokens are the same");
assert.equal((await stream.usage).outputTokens, answer.usage.outputTokens);

const vectors = await embedMany({
	model: gridproof.embeddingModel(name),
	values: ["one", "two"],
	maxRetries: 0,
});
assert.equal(vectors.embeddings.length, 2);
assert(vectors.embeddings[0].every(Number.isFinite));

const refused = (status, code) => (error) =>
	APICallError.isInstance(error) &&
	error.statusCode === status &&
	JSON.parse(error.responseBody).error.code === code;
await assert.rejects(
	generateText({ ...asked, model: gridproof("no such model"), prompt }),
	refused(404, "model_not_found"),
);
await assert.rejects(
	generateText({ ...asked, prompt: "word ".repeat(2_000) }),
	refused(400, "context_length_exceeded"),
);
// The error of a stream comes where the SDK has it: beside the text.
let streamed;
const long = streamText({
	...asked,
	prompt: "word ".repeat(2_000),
	onError: ({ error }) => (streamed = error),
});
for await (const _ of long.textStream);
assert.match(JSON.stringify(streamed), /context_length_exceeded|longer than/);

console.log(JSON.stringify({ answered: 3 }));
