#!/usr/bin/env python3
"""Checks vectors/models.json by docs/protocols/models.md alone: Python's standard library, no code of Gridproof.

    python3 vectors/models.py [FILE]

It makes every payload and hash again, and looks up every factor. Ends with 0 only if everything agrees.
"""

import hashlib
import json
import sys
from pathlib import Path

TAG = "gridproof/model/v1"


def text(value):
    """SCALE of a text of fewer than 16,384 bytes."""
    data = value.encode()
    length = len(data)
    head = bytes([length << 2]) if length < 64 else (length << 2 | 1).to_bytes(2, "little")
    return head + data


def payload(model):
    template = model["template"]
    last = b"\0" if template is None else b"\1" + bytes.fromhex(template)
    return text(TAG) + text(model["name"]) + bytes.fromhex(model["weights"] + model["tokenizer"]) + last


def hash_of_files(files):
    if len(files) == 1:
        return files[0]["sha256"]
    in_order = sorted(files, key=lambda file: file["name"].encode())
    lines = "".join(f"{file['sha256']}  {file['name']}\n" for file in in_order)
    return hashlib.sha256(lines.encode()).hexdigest()


def factor(span):
    return span["factor"] if span["standing"] == "counted" else None


def factor_at(spans, time):
    begun = [span for span in spans if span["since_ms"] <= time]
    return factor(begun[-1]) if begun else None


def factors_between(spans, first, last):
    ends = [span["since_ms"] for span in spans[1:]] + [last + first + 1]
    touched = [span for span, end in zip(spans, ends) if span["since_ms"] <= last and end > first]
    return [factor(span) for span in touched if factor(span) is not None]


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("models.json")
    cases = json.loads(Path(path).read_text(encoding="utf-8"))
    for model in cases["models"]:
        made = payload(model)
        assert made.hex() == model["payload"], model["name"]
        assert hashlib.blake2b(made, digest_size=32).hexdigest() == model["hash"], model["name"]
    hashes = {model["hash"] for model in cases["models"]}
    assert len(hashes) == len(cases["models"]), "two models have one hash"
    for case in cases["files"]:
        assert hash_of_files(case["files"]) == case["hash"], case
    spans = cases["timeline"]["spans"]
    for case in cases["timeline"]["factors"]:
        assert factor_at(spans, case["time_ms"]) == case["factor"], case
    for case in cases["timeline"]["between"]:
        assert factors_between(spans, case["from_ms"], case["to_ms"]) == case["factors"], case
    print(f"{len(hashes)} models, {len(cases['files'])} lists of files, {len(spans)} spans: all agree")


if __name__ == "__main__":
    main()
