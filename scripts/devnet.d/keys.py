#!/usr/bin/env python3
"""Writes the keys of a development chain from a seed, so that the same seed gives the same keys.

    keys.py SEED FOLDER METERS

Anyone who knows the seed has these keys: they are for chains on which nothing is at stake. Files that exist stay.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

# Ed25519, RFC 8032: the field, the curve's constant, the base point, the order is not needed to make a public key.
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def base():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x % 2 else x), y


def add(one, other):
    """The sum of two points in extended coordinates."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def public(secret):
    """The public key of 32 secret bytes."""
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    x, y = base()
    sum_, power = (0, 1, 1, 0), (x, y, 1, x * y % P)
    while scalar:
        if scalar & 1:
            sum_ = add(sum_, power)
        power = add(power, power)
        scalar >>= 1
    inverse = pow(sum_[2], P - 2, P)
    x, y = sum_[0] * inverse % P, sum_[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def write(path, seed, kind, name, **more):
    """A key file of `kind`, with mode 0600."""
    if path.exists():
        return
    secret = hashlib.sha256(f"gridproof devnet key|{seed}|{kind}|{name}".encode()).digest()
    key = {"format": "gridproof-key", "version": 1, "kind": kind, **more,
           "public": public(secret).hex(), "secret": secret.hex()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(key, indent=2) + "\n")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    seed, folder, meters = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    for name in ("coordinator", "miner-1", "miner-2", "channel"):
        write(folder / f"{name}-key.json", seed, name.split("-", 1)[0], name)
    for number in range(1, meters + 1):
        label = f"SIM-01/gw-{number:05}/mtr-{number:05}"
        write(folder / "meter-keys" / (label.replace("/", "+") + ".json"), seed, "device", label, label=label)


if __name__ == "__main__":
    main()
