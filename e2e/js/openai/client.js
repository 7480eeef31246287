// OpenAI's client library, as anybody would use it, against a coordinator's front or a client's own.
// Prints the receipt of each kind of request as JSON: its id, or, with PAID_BY=channel, all of it.
import assert from "node:assert/strict";
import OpenAI from "openai";

const model = process.env.MODEL;
// A channel's voucher is the seed of its request, and a client's front asks for no key.
const byChannel = process.env.PAID_BY === "channel";
const receiptHeader = byChannel ? "gridproof-receipt" : "x-gridproof-receipt";
const drawn = byChannel ? { temperature: 0 } : { seed: 7 };
// OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
const client = new OpenAI({ maxRetries: 0, timeout: 120_000 });
const messages = [{ role: "user", content: "Say something about energy." }];

const models = await client.models.list();
assert(models.data.some((listed) => listed.id === model));

const { data: chat, response } = await client.chat.completions
	.create({ model, messages, max_tokens: 12, ...drawn })
	.withResponse();
assert.equal(chat.object, "chat.completion");
assert.equal(chat.choices[0].message.role, "assistant");
assert(["stop", "length"].includes(chat.choices[0].finish_reason));
assert.equal(chat.usage.total_tokens, chat.usage.prompt_tokens + chat.usage.completion_tokens);
const chatReceipt = response.headers.get(receiptHeader);

const stream = await client.chat.completions.create({
	model,
	messages,
	max_tokens: 12,
	...drawn,
	stream: true,
	stream_options: { include_usage: true },
});
let text = "";
let last;
for await (const chunk of stream) {
	text += chunk.choices[0]?.delta?.content ?? "";
	last = chunk;
}
assert.equal(text, chat.choices[0].message.content, "the same seed, the same answer");
assert.equal(last.usage.completion_tokens, chat.usage.completion_tokens);

const completion = await client.completions
	.create({ model, prompt: "Once upon a time", max_tokens: 8, ...drawn })
	.withResponse();
assert.equal(completion.data.object, "text_completion");

const embedding = await client.embeddings
	.create({ model, input: ["one", "two"] })
	.withResponse();
assert.equal(embedding.data.data.length, 2);
assert(embedding.data.data[0].embedding.every(Number.isFinite));

await assert.rejects(
	client.chat.completions.create({ model: "no such model", messages }),
	(error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found",
);
const stranger = new OpenAI({ apiKey: "gpk_wrong", maxRetries: 0 }).models.list();
await (byChannel ? stranger : assert.rejects(stranger, OpenAI.AuthenticationError));

console.log(JSON.stringify({
	chat: chatReceipt,
	stream: byChannel ? last.gridproof.issued : last.gridproof.receipt,
	completion: completion.response.headers.get(receiptHeader),
	embedding: embedding.response.headers.get(receiptHeader),
}));
