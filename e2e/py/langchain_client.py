"""LangChain with its package for OpenAI, as anybody would use it, against a client's front.

Prints how many requests were answered, as JSON.
"""

import json
import math
import os

import openai
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

model = os.environ["MODEL"]
# OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
asked = {"model": model, "max_retries": 0, "timeout": 120, "max_tokens": 12}
chat = ChatOpenAI(temperature=0, stream_usage=True, **asked)
question = "Say something about energy."

assert model in [listed.id for listed in chat.root_client.models.list()]

answer = chat.invoke(question)
assert answer.content
counts = answer.usage_metadata
assert counts["total_tokens"] == counts["input_tokens"] + counts["output_tokens"]

text, whole = "", None
for piece in chat.stream(question):
    text += piece.content
    whole = piece if whole is None else whole + piece
assert text == answer.content, "the likeliest tokens are the same"
assert whole.usage_metadata["output_tokens"] == counts["output_tokens"]

two = ChatOpenAI(temperature=0, n=2, **asked).generate([[HumanMessage(question)]])
assert len(two.generations[0]) == 2

# Several texts in one request.
texts = OpenAI(temperature=0, **asked).generate(["Once upon a time", "It is a truth"])
assert len(texts.generations) == 2

# Its default is token ids of OpenAI's own models, which mean nothing to another one.
vectors = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, max_retries=0)
found = vectors.embed_documents(["one", "two"])
assert len(found) == 2 and all(math.isfinite(number) for number in found[0])

try:
    ChatOpenAI(**{**asked, "model": "no such model"}).invoke(question)
    raise AssertionError("a model that does not exist answered")
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error
try:
    chat.invoke("word " * 2_000)
    raise AssertionError("a prompt beyond the context was answered")
except openai.BadRequestError as error:
    assert error.code == "context_length_exceeded", error

print(json.dumps({"answered": 5}))
