#!/usr/bin/env python3
"""Checks vectors/checks.json by docs/protocols/checks.md alone: Python's standard library, no code of Gridproof.

    python3 vectors/checks.py [FILE]     check
    python3 vectors/checks.py --write    make the file again

It makes every draw, figure, number, hash, payload and division again. The VRF itself is not made: its output is given.
Ends with 0 only if everything agrees.
"""

import hashlib
import json
import sys
from pathlib import Path

FILE = Path(__file__).with_name("checks.json")
MOST = 128


def text(value):
    """SCALE of a text of fewer than 64 bytes."""
    data = value.encode()
    return bytes([len(data) << 2]) + data


def compact(value):
    if value < 1 << 6:
        return bytes([value << 2])
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    return (value << 2 | 2).to_bytes(4, "little")


def number(value, size):
    return int(value).to_bytes(size, "little")


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def uniform(tag, output):
    return int.from_bytes(blake(text(tag) + bytes.fromhex(output))[:16], "little")


def checks_of(case):
    value, divisor = int(case["value"]), int(case["per_check"]) * case["verifiers"]
    if divisor == 0:
        return 0
    u = uniform("gridproof/check-number/v1", case["output"])
    return min(value // divisor + (u * divisor < value % divisor << 128), MOST)


def point_of(output, check, total):
    hashed = blake(text("gridproof/check-point/v1") + bytes.fromhex(output) + number(check, 4))
    return int.from_bytes(hashed, "little") * total >> 256


def draw(case):
    found = checks_of(case)
    points = [str(point_of(case["output"], check, int(case["total"]))) for check in range(min(found, 4))]
    return {"checks": found, "points": points}


def reopened(case):
    u = uniform("gridproof/check-reopened/v1", case["output"])
    among = case["one_in"] * case["others"]
    return among > 0 and u * among < 1 << 128


def segments(lines, given_up):
    """What each line pays, in order: (line, miner, first point, first place, price)."""
    found, start = [], 0
    for index, line in enumerate(lines):
        at = int(line["from"])
        own = [(int(one["from"]), int(one["to"])) for one in given_up if one["miner"] == line["miner"]]
        for end, after in own + [(int(line["to"]), None)]:
            if end > at:
                found.append((index, line["miner"], start, at, end - at))
                start += end - at
            at = after
    return found


def places(case):
    found = segments(case["lines"], case["given_up"])
    answers = []
    for point in map(int, case["points"]):
        here = [one for one in found if one[2] <= point < one[2] + one[4]]
        assert len(here) <= 1
        answers.append({"line": here[0][0], "place": str(here[0][3] + point - here[0][2])} if here else None)
    return {"total": str(sum(one[4] for one in found)), "places": answers}


def statistics(case):
    clip = case["clip"]
    gaps = [None if gap is None else int(gap) for gap in case["gaps"]]
    clipped = sum(clip if gap is None else min(gap, clip) for gap in gaps)
    end = clip if case["end"] is None else min(int(case["end"]), clip)
    mean = -(-clipped // len(gaps)) if gaps else 0
    matches = sum(gap == 0 for gap in gaps)
    return {"tokens": len(gaps), "clipped": clipped, "matches": matches, "end": end, "mean": mean, "figure": mean + end}


def numbers(case):
    sums, answers = 0, []
    for figure in case["figures"]:
        sums = max(0, sums + figure - case["line"])
        above = sums > case["limit"]
        sums = 0 if above else sums
        answers.append({"number": sums, "above": above})
    return answers


def wide_numbers(case):
    """One number over models: each figure counts in millionths of its line's limit."""
    sums, answers = 0, []
    for figure, line, limit in case["figures"]:
        part = 1_000_000 * abs(figure - line) // limit
        sums = max(0, sums + part) if figure > line else max(0, sums - part)
        above = sums > 1_000_000
        sums = 0 if above else sums
        answers.append({"number": sums, "above": above})
    return answers


def price(case):
    value, per_check, total = int(case["value"]), int(case["per_check"]), int(case["total"])
    return str(min(-(-total * per_check // value), total) if value else total)


def verdict_of(case):
    """Of all verifiers: the jurors, and the parties, which stand for guilty or not guilty."""
    everybody = case["jurors"] + case["accusing"] + case["accused"]
    if not case["jurors"]:
        return None
    if (case["guilty"] + case["accusing"]) * 3 >= everybody * 2:
        return True
    return False if (case["not_guilty"] + case["accused"]) * 3 >= everybody * 2 else None


def share(case):
    line, honest, cheated = case["line"], case["honest"], case["cheated"]
    if cheated <= line:
        return 1_000_000
    return 1_000_000 * max(0, line - honest) // max(0, cheated - honest)


def divided(case):
    checks, per_check, budget = case["checks"], int(case["per_check"]), int(case["budget"])
    everything = sum(checks)
    pot = min(everything * per_check, budget)
    reporters = sum(one > 0 for one in checks)
    most = pot * 2 // reporters if reporters else 0
    return [str(min(pot * one // everything if everything else 0, most)) for one in checks]


def batch(one):
    return bytes.fromhex(one["coordinator"]) + number(one["sequence"], 8)


def check_id(one):
    return batch(one["batch"]) + bytes.fromhex(one["verifier"]) + number(one["check"], 4)


def repeated(case):
    """Ids of the reports that a jury repeats."""
    left = sorted({check_order(one): check_id(one).hex() for one in case["reports"]}.items())
    taken = []
    for turn in range(3):
        if not left:
            break
        hashed = blake(text("gridproof/jury-choice/v1") + bytes.fromhex(case["dispute"]) + number(turn, 4))
        taken.append(left.pop(int.from_bytes(hashed[:8], "little") % len(left))[1])
    return taken


def check_order(one):
    return one["batch"]["coordinator"], one["batch"]["sequence"], one["verifier"], one["check"]


def others(case):
    """Batch and place of the other receipts that a jury checks."""
    lines = sorted((one["batch"]["coordinator"], one["batch"]["sequence"], int(one["price"]), int(one["worth"]))
                   for one in case["lines"] if int(one["price"]))
    total, found = sum(one[3] for one in lines), []
    for turn in range(12 if total else 0):
        hashed = blake(text("gridproof/jury-place/v1") + bytes.fromhex(case["dispute"]) + number(turn, 4))
        left = int.from_bytes(hashed, "little") * total >> 256
        for coordinator, sequence, price, worth in lines:
            if left < worth:
                found.append({"sequence": sequence, "place": str(left * price // worth)})
                break
            left -= worth
    return found


def figures_of(values):
    return compact(len(values)) + b"".join(number(one, 4) for one in values)


def vrf(one):
    return bytes.fromhex(one["output"] + one["proof"])


def figures(one):
    if one["class"] == "exact":
        return b"\0" + bytes([one["equal"]])
    if one["class"] == "embedding":
        return b"\2" + number(one["cosine"], 4)
    return b"\1" + number(one["tokens"], 4) + number(one["clipped"], 8) + number(one["matches"], 4) + number(one["end"], 4)


def placed(one):
    path = b"".join(map(bytes.fromhex, one["path"]))
    return bytes.fromhex(one["item"]) + number(one["index"], 8) + compact(len(one["path"])) + path


def option(value):
    return b"\0" if value is None else b"\1" + value


def duty(one):
    kind = one["kind"]
    if kind == "drawn":
        return b"\0" + number(one["check"], 4) + vrf(one["vrf"])
    if kind == "reopens":
        return b"\1" + check_id(one["of"]) + vrf(one["vrf"])
    if kind == "witness":
        return b"\2" + check_id(one["of"])
    return b"\3" + bytes.fromhex(one["dispute"])


def verdict(one):
    invented = one["invented"]
    return bytes([one["guilty"]]) + option(None if invented is None else bytes.fromhex(invented))


def ballot(one):
    return bytes.fromhex(one["juror"] + one["dispute"]) + verdict(one["verdict"]) + bytes.fromhex(one["salt"])


STATEMENTS = {
    "report": ("gridproof/check-report/v1", lambda s: bytes.fromhex(s["verifier"]) + number(s["check"], 4) + vrf(s["vrf"])
               + batch(s["batch"]) + placed(s["receipt"]) + figures(s["figures"]) + bytes.fromhex(s["commitment"])),
    "request": ("gridproof/opening-request/v1", lambda s: bytes.fromhex(s["verifier"]) + batch(s["batch"])
                + number(s["index"], 8) + duty(s["duty"]) + number(s["time_ms"], 8)),
    "demand": ("gridproof/opening-demand/v1", lambda s: bytes.fromhex(s["verifier"]) + number(s["check"], 4) + vrf(s["vrf"])
               + batch(s["batch"]) + bytes.fromhex(s["miner"]) + option(s["receipt"] and placed(s["receipt"]))),
    "witness": ("gridproof/check-witness/v1", lambda s: bytes.fromhex(s["witness"]) + check_id(s["of"])
                + option(None if s["index"] is None else number(s["index"], 8)) + bytes([["has", "got_nothing"].index(s["says"])])),
    "reopening": ("gridproof/check-reopening/v1", lambda s: bytes.fromhex(s["by"]) + check_id(s["of"]) + vrf(s["vrf"])
                  + bytes.fromhex(s["commitment"])),
    "shown": ("gridproof/check-shown/v1", lambda s: bytes.fromhex(s["by"]) + check_id(s["of"]) + figures_of(s["figures"])),
    "commitment": ("gridproof/jury-commit/v1", lambda s: bytes.fromhex(s["juror"] + s["dispute"] + s["commitment"])),
    "ballot": ("gridproof/jury-reveal/v1", ballot),
    "abstention": ("gridproof/jury-abstention/v1", lambda s: bytes.fromhex(s["juror"] + s["dispute"])
                   + (b"\1" if s["not_shown"] is None else b"\0" + batch(s["not_shown"]))),
}


def payload(genesis, case):
    tag, encode = STATEMENTS[case["kind"]]
    return (text(tag) + bytes.fromhex(genesis) + encode(case["statement"])).hex()


def hashes(genesis, case):
    own = check_id(case["id"])
    committed = text("gridproof/check-figures/v1") + own + figures_of(case["figures"])
    return {
        "id_hash": blake(text("gridproof/check/v1") + own).hex(),
        "commitment": blake(committed).hex(),
        "vote": blake(text("gridproof/jury-vote/v1") + bytes.fromhex(genesis) + ballot(case["ballot"])).hex(),
    }


def judged(document):
    genesis = document["genesis"]
    judges = {
        "draws": draw, "reopened": reopened, "places": places, "statistics": statistics, "numbers": numbers,
        "unfound": share, "days": divided, "repeated": repeated, "others": others,
        "wide_numbers": wide_numbers, "prices": price, "verdicts": verdict_of,
        "hashes": lambda case: hashes(genesis, case), "statements": lambda case: payload(genesis, case),
    }
    for kind, judge in judges.items():
        for case in document[kind]:
            yield case, judge(case)


def write():
    ait = 10**18
    output = lambda n: hashlib.sha256(b"output %d" % n).hexdigest()
    draws = [{"output": output(n), "value": str(value), "per_check": str(per), "verifiers": verifiers, "total": str(total)}
             for n, (value, per, verifiers, total) in enumerate([
                 (ait // 3, ait, 5, ait // 4), (10 * ait, ait, 5, 8 * ait), (11 * ait, ait, 5, 8 * ait),
                 (2 * ait, ait, 1, 7), (0, ait, 5, 1), (2**128 - 1, 1, 1, 2**128 - 1), (ait, 0, 5, 1), (ait, ait, 0, 1),
                 (3 * ait + 1, ait, 3, 1), (ait * 2, ait * 5, 2, 10**20)])]
    draws += [{"output": output(100 + n), "value": str(ait // 2), "per_check": str(ait), "verifiers": 1, "total": str(ait)}
              for n in range(8)]
    batch_id = {"coordinator": "11" * 32, "sequence": 7}
    own = {"batch": batch_id, "verifier": "22" * 32, "check": 3}
    proof = {"output": "33" * 32, "proof": "44" * 64}
    vote = {"juror": "22" * 32, "dispute": "55" * 32, "verdict": {"guilty": True, "invented": "66" * 32}, "salt": "77" * 32}
    channels = json.loads(FILE.with_name("channels.json").read_text(encoding="utf-8"))
    receipt = {"item": receipt_of(channels), "index": 2, "path": ["88" * 32, "99" * 32]}
    seeded = {"class": "seeded", "tokens": 10, "clipped": 123456, "matches": 8, "end": 1}
    statements = [
        ("report", {"verifier": "22" * 32, "check": 3, "vrf": proof, "batch": batch_id, "receipt": receipt,
                    "figures": one, "commitment": "aa" * 32})
        for one in ({"class": "exact", "equal": False}, seeded, {"class": "embedding", "cosine": 999_000})
    ] + [
        ("request", {"verifier": "22" * 32, "batch": batch_id, "index": 2, "duty": one, "time_ms": 1_790_000_000_000})
        for one in ({"kind": "drawn", "check": 3, "vrf": proof}, {"kind": "reopens", "of": own, "vrf": proof},
                    {"kind": "witness", "of": own}, {"kind": "juror", "dispute": "55" * 32})
    ] + [
        ("demand", {"verifier": "22" * 32, "check": 3, "vrf": proof, "batch": batch_id, "miner": "bb" * 32, "receipt": one})
        for one in (receipt, None)
    ] + [
        ("witness", {"witness": "22" * 32, "of": own, "index": index, "says": one})
        for index, one in ((2, "has"), (2, "got_nothing"), (None, "got_nothing"))
    ] + [
        ("reopening", {"by": "cc" * 32, "of": own, "vrf": proof, "commitment": "aa" * 32}),
        ("shown", {"by": "cc" * 32, "of": own, "figures": list(range(70))}),
        ("commitment", {"juror": "22" * 32, "dispute": "55" * 32, "commitment": "aa" * 32}),
        ("ballot", vote), ("ballot", vote | {"verdict": {"guilty": False, "invented": None}}),
    ] + [
        ("abstention", {"juror": "22" * 32, "dispute": "55" * 32, "not_shown": one}) for one in (batch_id, None)
    ]
    line = lambda miner, start, end: {"miner": miner * 32, "from": str(start), "to": str(end)}
    document = {
        "genesis": "07" * 32,
        "draws": draws,
        "reopened": [{"output": output(200 + n), "one_in": one_in, "others": others}
                     for n, (one_in, others) in enumerate([(20, 4), (1, 1), (2, 1), (1, 0), (3, 1), (2, 2), (1, 2), (1, 3)])],
        "places": [{
            "lines": [line("01", 70, 1070), line("02", 0, 50), line("03", 5, 5)],
            "given_up": [line("01", 70, 170), line("01", 500, 900)],
            "points": ["0", "329", "330", "499", "500", "549", "550"],
        }, {
            "lines": [line("01", 0, 10)], "given_up": [], "points": ["0", "9", "10"],
        }],
        "statistics": [
            {"gaps": [0, 1, 5_000_000, None, 250], "end": 0, "clip": 4_000_000},
            {"gaps": [0] * 20, "end": None, "clip": 4_000_000},
            {"gaps": [], "end": 7, "clip": 5}, {"gaps": [1, 0, 0], "end": 0, "clip": 64_000_000},
        ],
        "numbers": [{"line": 20_000, "limit": 50_000, "figures": [45_000, 10_000, 1, 70_000, 20_001, 20_000, 70_001, 0]}],
        "wide_numbers": [{"figures": [[45_000, 20_000, 50_000], [10_000, 20_000, 50_000], [7, 5, 3], [0, 5, 3], [700_000, 100_000, 1_000_000],
                                      [500_000, 100_000, 1_000_000], [100_001, 100_000, 1_000_000], [200_000, 0, 100_000]]}],
        "prices": [{"value": str(value), "per_check": str(per), "total": str(total)}
                   for value, per, total in [(10 * ait, ait, 8 * ait), (3, 1, 10), (0, ait, 5), (ait // 2, ait, 7), (7, 1, 0),
                                             (2**128 - 1, 2**128 - 1, 2**128 - 1), (2**128 - 1, 1, 2**128 - 1)]],
        "verdicts": [{"jurors": jurors, "accusing": accusing, "accused": accused, "guilty": guilty, "not_guilty": not_guilty}
                     for jurors, accusing, accused, guilty, not_guilty in [
                         (20, 1, 0, 13, 7), (20, 1, 0, 12, 8), (20, 1, 0, 6, 14), (20, 1, 0, 7, 13), (19, 1, 1, 13, 6), (19, 1, 1, 6, 13),
                         (21, 0, 0, 14, 7), (21, 0, 0, 7, 13), (0, 0, 0, 0, 0), (0, 1, 0, 0, 0), (4, 1, 0, 3, 0), (4, 1, 0, 2, 0)]],
        "unfound": [{"line": 20_000, "honest": honest, "cheated": cheated}
                    for honest, cheated in [(10_000, 110_000), (10_000, 20_000), (30_000, 110_000), (0, 20_001)]],
        "days": [{"checks": checks, "per_check": str(ait // 50), "budget": str(budget)}
                 for checks, budget in [([1, 1, 1], ait), ([100, 1, 1, 0], ait), ([7, 11, 13], ait // 10 + 1), ([0, 0], ait),
                                        ([5], 10**15)]],
        "repeated": [{"dispute": f"{n:02x}" * 32, "reports": [own | {"check": check} for check in range(reports, 0, -1)]}
                     for n, reports in enumerate([0, 1, 2, 3, 4, 8, 8, 8], 200)],
        "others": [{"dispute": f"{n:02x}" * 32,
                    "lines": [{"batch": batch_id | {"sequence": 300 - at}, "price": str(price), "worth": str(worth)}
                              for at, (price, worth) in enumerate(lines)]}
                   for n, lines in enumerate([[], [(0, 9)], [(9, 0)], [(1, 1)], [(7, 7), (0, 5), (11, 11)], [(5, 5)] * 32,
                                              [(10**9, 1_000 * ait), (ait, ait)], [(3 * 10**6, ait), (ait, 3 * ait), (1, 1)]], 100)],
        "hashes": [{"id": own, "figures": [0, 1, 4_000_000], "ballot": vote}, {"id": own, "figures": [], "ballot": vote}],
        "statements": [{"kind": kind, "statement": statement} for kind, statement in statements],
    }
    for case, answer in judged(document):
        case["answer"] = answer
    FILE.write_text(json.dumps(document, indent="\t") + "\n", encoding="utf-8")


def receipt_of(channels):
    """The last receipt of the first batch of channels.json with its running sums: the payload without tag, genesis and role."""
    return channels["batches"][0]["receipts"][-1]["coordinator_payload"][108:]


def main():
    if sys.argv[1:] == ["--write"]:
        write()
    document = json.loads(Path(sys.argv[1] if sys.argv[1:2] not in ([], ["--write"]) else FILE).read_text(encoding="utf-8"))
    found = 0
    for case, answer in judged(document):
        assert answer == case["answer"], case
        found += 1
    print(f"{found} cases of checks agree")


if __name__ == "__main__":
    main()
