"""OpenAI's client library, as anybody would use it, against a coordinator's front or a client's own.

Prints the receipt of each kind of request as JSON: its id, or, with PAID_BY=channel, all of it.
"""

import json
import math
import os

import openai

model = os.environ["MODEL"]
# A channel's voucher is the seed of its request, and a client's front asks for no key.
by_channel = os.environ.get("PAID_BY") == "channel"
receipt_header = "gridproof-receipt" if by_channel else "x-gridproof-receipt"
# A seed of our own makes two answers the same; the voucher's does not, but the likeliest tokens are the same.
drawn = {"temperature": 0} if by_channel else {"seed": 7}
# OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
client = openai.OpenAI(max_retries=0, timeout=120)
messages = [{"role": "user", "content": "Say something about energy."}]

assert model in [listed.id for listed in client.models.list()]

raw = client.chat.completions.with_raw_response.create(
    model=model, messages=messages, max_tokens=12, **drawn
)
chat = raw.parse()
assert chat.object == "chat.completion"
assert chat.choices[0].message.role == "assistant"
assert chat.choices[0].finish_reason in ("stop", "length")
usage = chat.usage
assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
chat_receipt = raw.headers[receipt_header]

text, last = "", None
for chunk in client.chat.completions.create(
    model=model,
    messages=messages,
    max_tokens=12,
    **drawn,
    stream=True,
    stream_options={"include_usage": True},
):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    last = chunk
assert text == chat.choices[0].message.content, "the same seed, the same answer"
assert last.usage.completion_tokens == usage.completion_tokens

completion = client.completions.with_raw_response.create(
    model=model, prompt="Once upon a time", max_tokens=8, **drawn
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
    assert by_channel, "a wrong key was taken"
except openai.AuthenticationError:
    assert not by_channel, "a front without keys asked for one"

print(
    json.dumps(
        {
            "chat": chat_receipt,
            "stream": last.model_extra["gridproof"]["issued" if by_channel else "receipt"],
            "completion": completion.headers[receipt_header],
            "embedding": embedding.headers[receipt_header],
        }
    )
)
