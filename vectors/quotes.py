#!/usr/bin/env python3
"""Checks vectors/quotes.json by docs/protocols/compute-receipts.md alone: Python's standard library, no code of Gridproof.

    python3 vectors/quotes.py [FILE]     check
    python3 vectors/quotes.py --write    make the file again

It makes every payload and job id again. Ends with 0 only if everything agrees.
"""

import hashlib
import json
import sys
from pathlib import Path

ASSETS = ["ait", "aicp", "service_credit"]
FILE = Path(__file__).with_name("quotes.json")


def text(value):
    """SCALE of a text of fewer than 64 bytes."""
    data = value.encode()
    return bytes([len(data) << 2]) + data


def option(value):
    return b"\0" if value is None else b"\1" + bytes.fromhex(value)


def number(value, size):
    return int(value).to_bytes(size, "little")


def encoded(quote):
    """The members that every version has."""
    return b"".join([
        bytes.fromhex(quote["coordinator"] + quote["client"] + quote["spec_hash"]),
        number(quote["model_factor"], 4),
        bytes([ASSETS.index(quote["asset"])]),
        number(quote["price"], 16),
        number(quote["max_units"], 8),
        number(quote["expiry_ms"], 8),
        number(quote["deadline_ms"], 8),
        option(quote["miner"]),
        number(quote["nonce"], 8),
    ])


def payload(genesis, quote):
    if quote["model"] is None:
        return text("gridproof/quote/v1") + bytes.fromhex(genesis) + encoded(quote)
    return text("gridproof/quote/v2") + bytes.fromhex(genesis) + encoded(quote) + option(quote["model"])


def judged(genesis, quote):
    made = payload(genesis, quote)
    return made.hex(), hashlib.blake2b(made, digest_size=32).hexdigest()


def write():
    quote = {
        "coordinator": "11" * 32, "client": "22" * 32, "spec_hash": "33" * 32, "model_factor": 2500,
        "asset": "ait", "price": "1000000000000000000", "max_units": 250, "expiry_ms": 1768478460000,
        "deadline_ms": 1768479000000, "miner": None, "nonce": 7, "model": "44" * 32,
    }
    changes = [
        ("names a model", {}),
        ("names none, as every quote before version 2", {"model": None}),
        ("names a model and a miner", {"miner": "55" * 32, "asset": "aicp", "price": "18446744073709551616"}),
        ("names a miner and no model", {"miner": "55" * 32, "asset": "service_credit", "model": None}),
    ]
    genesis = "07" * 32
    cases = []
    for what, change in changes:
        case = {"what": what, "quote": quote | change}
        case["payload"], case["job"] = judged(genesis, case["quote"])
        cases.append(case)
    document = {"genesis": genesis, "quotes": cases}
    FILE.write_text(json.dumps(document, indent="\t") + "\n", encoding="utf-8")


def main():
    if sys.argv[1:] == ["--write"]:
        write()
    cases = json.loads(Path(sys.argv[1] if sys.argv[1:2] not in ([], ["--write"]) else FILE).read_text(encoding="utf-8"))
    for case in cases["quotes"]:
        assert judged(cases["genesis"], case["quote"]) == (case["payload"], case["job"]), case["what"]
    assert len({case["job"] for case in cases["quotes"]}) == len(cases["quotes"])
    print(f"{len(cases['quotes'])} quotes agree")


if __name__ == "__main__":
    main()
