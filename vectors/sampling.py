#!/usr/bin/env python3
"""Checks vectors/sampling.json by docs/protocols/sampling.md alone: Python's standard library, no code of Gridproof.

    python3 vectors/sampling.py [FILE]

Python's floats are those of IEEE 754 with 64 bits, and no product is fused with a sum: every bit has to agree. Ends with 0
only if it does.
"""

import json
import math
import struct
import sys
from pathlib import Path

MASK = 0xFFFFFFFF
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10


# ---- noise ----------------------------------------------------------------------------------------------------------


def rotated(value, count):
    return (value << count | value >> (32 - count)) & MASK


def quarter(words, a, b, c, d):
    for first, second, third, count in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        words[first] = (words[first] + words[second]) & MASK
        words[third] = rotated(words[third] ^ words[first], count)


def chacha20_block(key, counter, nonce):
    """RFC 8439, 2.3."""
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key))
    start += [counter, *struct.unpack("<3I", nonce)]
    words = list(start)
    for _ in range(10):
        for column in range(4):
            quarter(words, column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(words, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((word + first) & MASK for word, first in zip(words, start)))


def bits(seed, choice, position, token):
    block = chacha20_block(seed, token // 8, struct.pack("<IQ", choice, position))
    return struct.unpack_from("<Q", block, 8 * (token % 8))[0]


def ln(x):
    m, exponent = math.frexp(x)  # m in ½ … 1
    m, exponent = 2.0 * m, exponent - 1
    if m > 1.4142135623730951:
        m, exponent = m / 2.0, exponent + 1
    z = (m - 1.0) / (m + 1.0)
    square, total = z * z, 0.0
    for n in range(12, -1, -1):
        total = total * square + 1.0 / (2 * n + 1)
    return exponent * LN2_HIGH + (2.0 * z * total + exponent * LN2_LOW)


def exp(x):
    if x < -700.0:
        return 0.0
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    total = 1.0
    for n in range(13, 0, -1):
        total = 1.0 + total * r / n
    return math.ldexp(total, k)


def noise(seed, choice, position, token):
    u = ((bits(seed, choice, position, token) >> 12) + 0.5) / 2.0**52
    return -ln(-ln(u))


# ---- draws ----------------------------------------------------------------------------------------------------------


def scores(case):
    """The score of each token that may be drawn."""
    logits = case["logits"]
    if case["temperature_milli"] == 0:
        return dict(enumerate(logits))
    heat, most = case["temperature_milli"] / 1000.0, max(logits)
    heated = {token: (logit - most) / heat for token, logit in enumerate(logits)}
    if case["top_p_milli"] < 1000:
        ranked = sorted(heated, key=lambda token: (-heated[token], token))
        whole = 0.0
        for token in ranked:
            whole += exp(heated[token])
        limit, total, kept = whole * (case["top_p_milli"] / 1000.0), 0.0, []
        for token in ranked:
            kept.append(token)
            total += exp(heated[token])
            if total >= limit:
                break
        heated = {token: heated[token] for token in sorted(kept)}
    seed = bytes.fromhex(case["seed"])
    place = (seed, case["choice"], case["position"])
    return {token: value + noise(*place, token) for token, value in heated.items()}


def gap(most, score, is_drawn):
    return 0 if is_drawn else max(1, math.ceil((most - score) * 1_000_000.0))


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("sampling.json")
    vectors = json.loads(file.read_text(encoding="utf-8"))
    standard = chacha20_block(bytes(range(32)), 1, bytes.fromhex("000000090000004a00000000"))
    assert standard.hex().startswith("10f1e7e4d13b5915500fdd1fa32071c4"), "ChaCha20"
    checked = 0
    for case in vectors["noise"]:
        place = (bytes.fromhex(case["seed"]), case["choice"], case["position"], case["token"])
        assert f"{bits(*place):016x}" == case["bits"], case
        assert struct.pack(">d", noise(*place)).hex() == case["noise"], case
        checked += 2
    for case in vectors["draws"]:
        found = scores(case)
        drawn = max(found, key=lambda token: (found[token], -token))
        assert drawn == case["drawn"], (case, drawn)
        for token, wanted in enumerate(case["gaps_micro"]):
            made = gap(found[drawn], found[token], token == drawn) if token in found else None
            assert made == wanted, (case, token, made)
            checked += 1
        checked += 1
    print(f"{file.name}: {checked} values agree")


if __name__ == "__main__":
    main()
