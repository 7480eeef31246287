"""Trains the small language model and writes it to a folder under models/.

A transformer of the LLaMA kind: RMSNorm, rotary positions, gated feed-forward, tied embeddings. Its
matrices learn by Muon (momentum made orthogonal), the rest by Adam. The weights come out as
safetensors with the names that such models have elsewhere, and the tables of rotary positions with
them, so that a reader needs no sine of its own.
"""

import argparse
import hashlib
import json
import math
import pickle
import struct
import time
from pathlib import Path

import bpe
import jax
import jax.numpy as jnp
import novels
import numpy as np

VOCABULARY, WIDTH, LAYERS, HEADS, INNER, CONTEXT = 2048, 128, 4, 4, 352, 512
HEAD = WIDTH // HEADS
EPSILON = 1e-5
THETA = 10_000.0
ENCODED = (
    "", "It is a truth", "Mr. Darcy, 1813 -- \"why?\"  two  spaces", "a\n\n\nb \n c", "caf\u00e9 \u2014 \u00a35 \u4e16\u754c",
    " leading", "trailing ", "don't", "\t\ttabs",
)


def rotary(length: int):
    frequencies = THETA ** (-np.arange(0, HEAD, 2, dtype=np.float64) / HEAD)
    angles = np.arange(length)[:, None] * frequencies[None, :]
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


COS, SIN = rotary(CONTEXT)


def fresh(seed: int) -> dict:
    generator = np.random.default_rng(seed)
    normal = lambda rows, columns, scale: generator.normal(0, scale, (rows, columns)).astype(np.float32)
    weights = {"model.embed_tokens.weight": normal(VOCABULARY, WIDTH, 0.02), "model.norm.weight": np.ones(WIDTH, np.float32)}
    within, out = 1 / math.sqrt(WIDTH), 1 / math.sqrt(2 * LAYERS)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        for part in ("q", "k", "v"):
            weights[f"{name}self_attn.{part}_proj.weight"] = normal(WIDTH, WIDTH, within)
        weights[name + "self_attn.o_proj.weight"] = normal(WIDTH, WIDTH, within * out)
        weights[name + "mlp.gate_proj.weight"] = normal(INNER, WIDTH, within)
        weights[name + "mlp.up_proj.weight"] = normal(INNER, WIDTH, within)
        weights[name + "mlp.down_proj.weight"] = normal(WIDTH, INNER, out / math.sqrt(INNER))
        weights[name + "input_layernorm.weight"] = np.ones(WIDTH, np.float32)
        weights[name + "post_attention_layernorm.weight"] = np.ones(WIDTH, np.float32)
    return {name: jnp.asarray(value) for name, value in weights.items()}


def norm(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + EPSILON) * weight


def rotate(x):
    cos, sin = COS[: x.shape[1], None, :], SIN[: x.shape[1], None, :]
    left, right = x[..., : HEAD // 2], x[..., HEAD // 2 :]
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], -1)


def logits(weights, tokens):
    rows, length = tokens.shape
    x = weights["model.embed_tokens.weight"][tokens]
    mask = jnp.tril(jnp.ones((length, length), bool))
    for layer in range(LAYERS):
        part = lambda name: weights[f"model.layers.{layer}.{name}.weight"]
        h = norm(x, part("input_layernorm"))
        split = lambda name: (h @ part(f"self_attn.{name}_proj").T).reshape(rows, length, HEADS, HEAD)
        q, k, v = rotate(split("q")), rotate(split("k")), split("v")
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(HEAD)
        shares = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), -1)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", shares, v).reshape(rows, length, WIDTH)
        x = x + mixed @ part("self_attn.o_proj").T
        h = norm(x, part("post_attention_layernorm"))
        x = x + (jax.nn.silu(h @ part("mlp.gate_proj").T) * (h @ part("mlp.up_proj").T)) @ part("mlp.down_proj").T
    return norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T


def loss(weights, tokens):
    found = jax.nn.log_softmax(logits(weights, tokens[:, :-1]))
    return -jnp.mean(jnp.take_along_axis(found, tokens[:, 1:, None], -1))


def orthogonal(matrix):
    """The nearest orthogonal matrix, roughly, by five steps of Newton and Schulz."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (jnp.linalg.norm(x) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@jax.jit
def step(weights, first, second, tokens, number, rate):
    value, slopes = jax.value_and_grad(loss)(weights, tokens)
    length = jnp.sqrt(sum(jnp.sum(slope * slope) for slope in slopes.values()))
    slopes = {name: slope * jnp.minimum(1, 1 / (length + 1e-6)) for name, slope in slopes.items()}
    new, new_first, new_second = {}, {}, {}
    for name, weight in weights.items():
        slope = slopes[name]
        if name.endswith("_proj.weight"):
            moment = 0.95 * first[name] + slope
            scale = 0.02 * math.sqrt(max(1, weight.shape[0] / weight.shape[1]))
            new[name] = weight * (1 - 0.001 * rate) - rate * scale * orthogonal(slope + 0.95 * moment)
            new_first[name], new_second[name] = moment, second[name]
        else:
            moment = 0.9 * first[name] + 0.1 * slope
            spread = 0.98 * second[name] + 0.02 * slope * slope
            change = (moment / (1 - 0.9**number)) / (jnp.sqrt(spread / (1 - 0.98**number)) + 1e-9)
            new[name], new_first[name], new_second[name] = weight - rate * 0.003 * change, moment, spread
    return new, new_first, new_second, value


held_out_loss = jax.jit(loss)


def measure(weights, tokens) -> float:
    rows = len(tokens) // 513
    table = np.array(tokens[: rows * 513]).reshape(rows, 513)
    return float(np.mean([held_out_loss(weights, table[at : at + 8]) for at in range(0, rows - rows % 8, 8)]))


def train(tokens: np.ndarray, held_out, arguments, per_byte: float):
    steps, seed, state, amount = arguments.steps, arguments.seed, arguments.state, arguments.batch
    weights = fresh(seed)
    zeros = {name: jnp.zeros_like(value) for name, value in weights.items()}
    first, second, done = zeros, dict(zeros), 0
    if state is not None and state.exists():
        weights, first, second, done = pickle.loads(state.read_bytes())
        print(f"continuing after step {done}", flush=True)
    begun, average = time.time(), None
    for number in range(done + 1, steps + 1):
        # Each step has its own generator, so that a resumed run makes the same choices.
        generator = np.random.default_rng((seed, number))
        # Short texts first: they are cheaper, and most of what there is to learn is near.
        length = 128 if number <= steps * 0.75 else CONTEXT
        starts = generator.integers(0, len(tokens) - length - 1, amount // length)
        batch = tokens[starts[:, None] + np.arange(length + 1)[None, :]]
        rate = min(1, number / 40, (steps - number + 1) / (steps * 0.4))
        weights, first, second, value = step(weights, first, second, batch, float(number), rate)
        average = float(value) if average is None else 0.98 * average + 0.02 * float(value)
        if number % 25 == 0 or number == steps:
            print(f"step {number} of {steps}: loss {average:.3f}, {time.time() - begun:.0f} s", flush=True)
            if state is not None:
                state.write_bytes(pickle.dumps((weights, first, second, number)))
    found = measure(weights, held_out)
    print(f"held-out loss {found:.4f} nats a token, {found / math.log(2) * per_byte:.4f} bits a byte", flush=True)
    return {name: np.asarray(value) for name, value in weights.items()}, found


def safetensors(tensors: dict, metadata: dict) -> bytes:
    """The format of that name: length of the header, the header as JSON, the numbers."""
    header, at = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name].astype("<f4").tobytes() for name in sorted(tensors))


def write(folder: Path, weights: dict, merges, notes: dict):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = dict(weights)
    tensors["rope.cos"], tensors["rope.sin"] = COS, SIN
    blob = safetensors(tensors, {"format": "pt"})
    (folder / "model.safetensors").write_bytes(blob)
    encoder = bpe.Encoder(merges)
    # A paragraph is the unit of text: what begins one, begins a text, and what ends one, ends it.
    (paragraph,) = encoder.piece(b"\n\n")
    config = {
        "name": folder.name, "vocabulary": VOCABULARY, "width": WIDTH, "layers": LAYERS, "heads": HEADS,
        "inner": INNER, "context": CONTEXT, "epsilon": EPSILON,
        "paragraph_token": paragraph, "weights_sha256": hashlib.sha256(blob).hexdigest(),
    }
    (folder / "config.json").write_text(json.dumps(config, indent="\t") + "\n")
    rows = ",\n".join(f"[{left},{right}]" for left, right in merges)
    (folder / "vocabulary.json").write_text('{"merges":[\n' + rows + "\n]}\n")
    encodings = [{"text": text, "tokens": encoder.encode(text)} for text in ENCODED]
    (folder / "encodings.json").write_text(json.dumps(encodings, indent="\t") + "\n")
    (folder / "training.json").write_text(json.dumps(notes, indent="\t") + "\n")


def main():
    parser = argparse.ArgumentParser(description="Trains the small language model.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model, such as models/austen-1m")
    parser.add_argument("--steps", type=int, default=600, help="how often weights are changed")
    parser.add_argument("--batch", type=int, default=2048, help="tokens a step, a multiple of the context")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file that keeps the state of a run, to resume it")
    parser.add_argument("--package", type=Path, help=f"a file of the Debian package {novels.PACKAGE}; else apt fetches it")
    arguments = parser.parse_args()
    begun = time.time()
    text = novels.load(arguments.package)
    merges = bpe.learn(text, VOCABULARY)
    tokens = np.array(bpe.Encoder(merges).encode(text), np.int32)
    per_byte = len(tokens) / len(text.encode())
    print(f"{len(text.encode())} bytes, {len(tokens)} tokens", flush=True)
    cut = len(tokens) * 98 // 100
    weights, found = train(tokens[:cut], tokens[cut:], arguments, per_byte)
    notes = {
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(), "text_bytes": len(text.encode()),
        "text_tokens": len(tokens), "steps": arguments.steps, "tokens_a_step": arguments.batch, "seed": arguments.seed,
        "held_out_loss_nats_per_token": round(found, 4), "held_out_bits_per_byte": round(found / math.log(2) * per_byte, 4),
        "seconds": round(time.time() - begun), "jax": jax.__version__, "numpy": np.__version__,
    }
    write(arguments.out, weights, merges, notes)


if __name__ == "__main__":
    main()
