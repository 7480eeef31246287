"""LiteLLM, as anybody would use it, against a client's front.

Prints how many requests were answered, as JSON.
"""

import json
import math
import os

import litellm

# It prints advice beside what this prints.
litellm.suppress_debug_info = True
model, base = os.environ["MODEL"], os.environ["OPENAI_BASE_URL"]
# The key is read by the library itself.
asked = {"api_base": base, "max_retries": 0, "timeout": 120}
chat = {**asked, "model": f"openai/{model}", "max_tokens": 12, "temperature": 0}
messages = [{"role": "user", "content": "Say something about energy."}]

listed = litellm.get_valid_models(
    check_provider_endpoint=True,
    custom_llm_provider="openai",
    api_base=base.removesuffix("/v1"),
    api_key=os.environ["OPENAI_API_KEY"],
)
assert model in listed or f"openai/{model}" in listed, listed

answer = litellm.completion(messages=messages, **chat)
choice = answer.choices[0]
assert choice.message.role == "assistant" and choice.message.content
assert choice.finish_reason in ("stop", "length")
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens

text, counts = "", None
for chunk in litellm.completion(
    messages=messages, stream=True, stream_options={"include_usage": True}, **chat
):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    counts = getattr(chunk, "usage", None) or counts
assert text == choice.message.content, "the likeliest tokens are the same"
assert counts.completion_tokens == answer.usage.completion_tokens

two = litellm.completion(messages=messages, n=2, **chat)
assert [choice.index for choice in two.choices] == [0, 1]

vectors = litellm.embedding(model=f"openai/{model}", input=["one", "two"], **asked).data
assert len(vectors) == 2
assert all(math.isfinite(number) for number in vectors[0]["embedding"])

try:
    litellm.completion(messages=messages, **{**chat, "model": "openai/no such model"})
    raise AssertionError("a model that does not exist answered")
except litellm.NotFoundError as error:
    assert "not offered" in str(error), error
long = [{"role": "user", "content": "word " * 2_000}]
try:
    litellm.completion(messages=long, **chat)
    raise AssertionError("a prompt beyond the context was answered")
except litellm.ContextWindowExceededError as error:
    assert error.status_code == 400, error

print(json.dumps({"answered": 4}))
