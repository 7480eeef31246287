"""Writes answers.json beside a model's weights: what the model answers by the trainer's arithmetic.

The engine has to give the same tokens. Both add floats in different orders, so an answer is cut
where its two likeliest tokens come close.
"""

import argparse
import json
import struct
from pathlib import Path

import bpe
import jax
import numpy as np
import train

PROMPTS = ("", "It is a truth universally acknowledged", "Elizabeth was", "\"My dear Mr. Bennet,\" said", "The weather", "12")
LENGTH = 128
MARGIN = 0.01


def tensors(path: Path) -> dict:
    blob = path.read_bytes()
    (size,) = struct.unpack_from("<Q", blob)
    header = json.loads(blob[8 : 8 + size])
    header.pop("__metadata__", None)
    base = 8 + size
    read = lambda row: np.frombuffer(blob[base + row["data_offsets"][0] : base + row["data_offsets"][1]], "<f4")
    return {name: read(row).reshape(row["shape"]) for name, row in header.items()}


def main():
    parser = argparse.ArgumentParser(description="Writes answers.json beside a model's weights.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    weights = tensors(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    merges = json.loads((folder / "vocabulary.json").read_text())["merges"]
    encoder = bpe.Encoder([tuple(pair) for pair in merges])
    logits = jax.jit(train.logits)
    answers = []
    for prompt in PROMPTS:
        tokens, made = [config["paragraph_token"], *encoder.encode(prompt)], []
        while len(tokens) < LENGTH and len(made) < 64:
            padded = np.array([tokens + [0] * (LENGTH - len(tokens))])
            last = np.asarray(logits(weights, padded))[0, len(tokens) - 1]
            second, first = np.sort(last)[-2:]
            if first - second < MARGIN:
                break
            tokens.append(int(last.argmax()))
            made.append(tokens[-1])
            if made[-1] == config["paragraph_token"]:
                break
        answers.append({"prompt": prompt, "tokens": made})
    (folder / "answers.json").write_text("[\n" + ",\n".join(json.dumps(answer) for answer in answers) + "\n]\n")


if __name__ == "__main__":
    main()
