"""OpenAI's client library, as anybody would use it, against a coordinator's front.

Prints the receipt's id of each kind of request as JSON.
"""

import json
import math
import os

import openai

model = os.environ["MODEL"]
# OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
client = openai.OpenAI(max_retries=0, timeout=120)
messages = [{"role": "user", "content": "Say something about energy."}]

assert model in [listed.id for listed in client.models.list()]

raw = client.chat.completions.with_raw_response.create(
    model=model, messages=messages, max_tokens=12, seed=7
)
chat = raw.parse()
assert chat.object == "chat.completion"
assert chat.choices[0].message.role == "assistant"
assert chat.choices[0].finish_reason in ("stop", "length")
usage = chat.usage
assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
chat_receipt = raw.headers["x-gridproof-receipt"]

text, last = "", None
for chunk in client.chat.completions.create(
    model=model,
    messages=messages,
    max_tokens=12,
    seed=7,
    stream=True,
    stream_options={"include_usage": True},
):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    last = chunk
assert text == chat.choices[0].message.content, "the same seed, the same answer"
assert last.usage.completion_tokens == usage.completion_tokens

completion = client.completions.with_raw_response.create(
    model=model, prompt="Once upon a time", max_tokens=8
)
assert completion.parse().object == "text_completion"

# The library asks for base64 by itself, and gives floats.
embedding = client.embeddings.with_raw_response.create(model=model, input=["one", "two"])
vectors = embedding.parse().data
assert len(vectors) == 2
assert all(math.isfinite(number) for number in vectors[0].embedding)

try:
    client.chat.completions.create(model="no such model", messages=messages)
    raise AssertionError("a model that does not exist answered")
except openai.NotFoundError as error:
    assert error.code == "model_not_found"
try:
    openai.OpenAI(api_key="gpk_wrong", max_retries=0).models.list()
    raise AssertionError("a wrong key was taken")
except openai.AuthenticationError:
    pass

print(
    json.dumps(
        {
            "chat": chat_receipt,
            "stream": last.model_extra["gridproof"]["receipt"],
            "completion": completion.headers["x-gridproof-receipt"],
            "embedding": embedding.headers["x-gridproof-receipt"],
        }
    )
)
