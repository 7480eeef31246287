#!/usr/bin/env python3
"""Checks vectors/channels.json by docs/protocols/channels.md alone: Python's standard library, no code of Gridproof.

    python3 vectors/channels.py [FILE]

It makes every byte again that is signed or hashed, checks every signature, makes the lists of each batch from its
receipts, proves each receipt, and settles the batches in order. Ends with 0 only if everything agrees.
"""

import hashlib
import json
import sys
from itertools import groupby
from pathlib import Path

import ed25519

U32, U64, U128 = 4, 8, 16
ASSETS = ("ait", "aicp", "service_credit")
MODES = ("ordinary", "private")
SAMPLERS = ("greedy", "gumbel", "engine")
PARTS = ("request", "prompt", "output", "sampling")
MINER, COORDINATOR = b"\0", b"\1"


# ---- bytes ----------------------------------------------------------------------------------------------------------


def uint(value, size):
    return int(value).to_bytes(size, "little")


def compact(value):
    """SCALE's length of a text or a list."""
    if value < 1 << 6:
        return uint(value << 2, 1)
    if value < 1 << 14:
        return uint(value << 2 | 1, 2)
    assert value < 1 << 30
    return uint(value << 2 | 2, 4)


def text(value):
    data = value.encode()
    return compact(len(data)) + data


def option(value):
    return b"\0" if value is None else b"\1" + value


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def unhex(value):
    return None if value is None else bytes.fromhex(value)


# ---- the tree of RFC 6962 -------------------------------------------------------------------------------------------


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:split]), root(leaves[split:]))


def path(leaves, index):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path(leaves[:split], index) + [root(leaves[split:])]
    return path(leaves[split:], index - split) + [root(leaves[:split])]


def root_of_path(hash_, index, size, siblings):
    """The root that a path leads to; None if it has the wrong length."""
    if size == 1:
        return hash_ if not siblings else None
    if not siblings:
        return None
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        below = root_of_path(hash_, index, split, siblings[:-1])
        return below and node(below, siblings[-1])
    below = root_of_path(hash_, index - split, size - split, siblings[:-1])
    return below and node(siblings[-1], below)


# ---- formats --------------------------------------------------------------------------------------------------------


def kind_bytes(kind):
    return bytes([ASSETS.index(kind["asset"]), MODES.index(kind["mode"])])


def channel_sums_bytes(sums):
    return uint(sums["count"], U64) + uint(sums["price"], U128)


def miner_sums_bytes(sums):
    return uint(sums["count"], U64) + uint(sums["price"], U128) + uint(sums["weight"], U128)


def voucher_bytes(voucher):
    return (
        uint(voucher["channel"], U64)
        + uint(voucher["number"], U64)
        + uint(voucher["amount"], U128)
        + unhex(voucher["spec_hash"])
    )


def receipt_bytes(receipt):
    telemetry = (
        uint(receipt["input_tokens"], U32)
        + uint(receipt["output_tokens"], U32)
        + uint(receipt["duration_ms"], U64)
        + uint(receipt["memory_mb"], U32)
    )
    return (
        b"\1" + uint(receipt["channel"], U64) + uint(receipt["number"], U64)
        + option(unhex(receipt["miner"]))
        + unhex(receipt["model"])
        + unhex(receipt["spec_hash"])
        + unhex(receipt["output_root"])
        + uint(receipt["weight"], U64)
        + uint(receipt["price"], U128)
        + bytes([SAMPLERS.index(receipt["sampler"])])
        + telemetry
        + uint(receipt["settle_by_ms"], U64)
    )


def channel_receipt_bytes(one):
    return (
        receipt_bytes(one["receipt"])
        + kind_bytes(one["kind"])
        + channel_sums_bytes(one["channel_sums"])
        + miner_sums_bytes(one["miner_sums"])
    )


def channel_line_bytes(line):
    return voucher_bytes(line["voucher"]) + channel_sums_bytes(line["from"]) + channel_sums_bytes(line["to"])


def miner_line_bytes(line):
    return option(unhex(line["miner"])) + miner_sums_bytes(line["from"]) + miner_sums_bytes(line["to"])


def header_bytes(header):
    assert header["cid"] is None
    return (
        unhex(header["coordinator"])
        + uint(header["sequence"], U64)
        + unhex(header["previous"])
        + uint(header["time_ms"], U64)
        + kind_bytes(header["kind"])
        + uint(header["receipts"], U64) + uint(header["price"], U128) + uint(header["weight"], U128)
        + uint(header["channels"], U32)
        + uint(header["miners"], U32)
        + unhex(header["lines_root"])
        + unhex(header["receipts_root"])
        + option(None)
    )


# ---- running sums ---------------------------------------------------------------------------------------------------


def channel_point(sums):
    return int(sums["count"]), (int(sums["price"]),)


def miner_point(sums):
    return int(sums["count"]), (int(sums["price"]), int(sums["weight"]))


def before(point, *own):
    """The point before a receipt, or None if the receipt contradicts itself."""
    count, values = point
    point = count - 1, tuple(value - part for value, part in zip(values, own))
    if point[0] < 0 or min(point[1]) < 0 or not agree(point, (0, (0,) * len(own))):
        return None
    return point


def agree(one, other):
    """Whether two points can lie on one rising curve."""
    (first, lower), (second, upper) = sorted((one, other))
    if first == second:
        return lower == upper
    return all(a <= b for a, b in zip(lower, upper))


def channel_ends(one):
    after = channel_point(one["channel_sums"])
    return before(after, int(one["receipt"]["price"])), after


def miner_ends(one):
    after = miner_point(one["miner_sums"])
    return before(after, int(one["receipt"]["price"]), one["receipt"]["weight"]), after


def both_can_be(first, second):
    """Whether two different receipts with these ends can be of one curve."""
    if first[0] is None or second[0] is None or first[1][0] == second[1][0]:
        return False
    return all(agree(one, other) for one in first for other in second)


# ---- rules of lists -------------------------------------------------------------------------------------------------


def check_line(line, point, is_channel):
    start, end = point(line["from"]), point(line["to"])
    if end[0] <= start[0]:
        return "empty_range"
    zero = (0, (0,) * len(start[1]))
    if any(a > b for a, b in zip(start[1], end[1])) or not agree(start, zero):
        return "falling_sums"
    if is_channel:
        if end[1][0] > int(line["voucher"]["amount"]):
            return "above_voucher"
        if end[0] > line["voucher"]["number"]:
            return "more_receipts_than_vouchers"
    elif line["miner"] is None and end[1] != start[1]:
        return "paid_without_miner"
    return None


def total(lines, point):
    """Receipts, price, and for miners weight, of all lines."""
    parts = []
    for line in lines:
        start, end = point(line["from"]), point(line["to"])
        parts.append((end[0] - start[0], *(b - a for a, b in zip(start[1], end[1]))))
    return [sum(column) for column in zip(*parts)]


def rising(keys):
    return all(one < next_ for one, next_ in zip(keys, keys[1:]))


def check_given_up(miners, given_up):
    """Each range lies within the line of its miner, behind the one before it."""
    for one in given_up:
        refusal = check_line(one["line"], miner_point, False)
        if refusal:
            return refusal
    left = list(given_up)
    for line in miners:
        reached, last = miner_point(line["from"]), miner_point(line["to"])
        while left and left[0]["line"]["miner"] == line["miner"]:
            start, end = (miner_point(left[0]["line"][name]) for name in ("from", "to"))
            begins = reached[0] <= start[0] and agree(reached, start)
            if not begins or end[0] > last[0] or not agree(end, last):
                return "given_up_elsewhere"
            reached = end
            left.pop(0)
    return "given_up_elsewhere" if left else None


def check_lists(header, channels, miners, given_up):
    """The name of the refusal, or None."""
    if not (channels or given_up) or not miners:
        return "no_receipts"
    for line in channels:
        refusal = check_line(line, channel_point, True)
        if refusal:
            return refusal
    for line in miners:
        refusal = check_line(line, miner_point, False)
        if refusal:
            return refusal
    if not rising([line["voucher"]["channel"] for line in channels]):
        return "channels_unsorted"
    # No miner comes first, then keys by their bytes, which their hexadecimal digits keep.
    if not rising([line["miner"] or "" for line in miners]):
        return "miners_unsorted"
    refusal = check_given_up(miners, given_up)
    if refusal:
        return refusal
    settled = total(channels, channel_point) if channels else [0, 0]
    given = total([one["line"] for one in given_up], miner_point)[:2] if given_up else [0, 0]
    sums = total(miners, miner_point)
    if [one + other for one, other in zip(settled, given)] != sums[:2]:
        return "lists_disagree"
    stated = [header["receipts"], int(header["price"]), int(header["weight"])]
    numbers = (len(channels), len(miners) + len(given_up))
    if stated != sums or (header["channels"], header["miners"]) != numbers:
        return "header_disagrees"
    if root(line_leaves(channels, miners, given_up)) != unhex(header["lines_root"]):
        return "other_lines"
    return None


def line_leaves(channels, miners, given_up):
    return (
        [leaf(b"\0" + channel_line_bytes(line)) for line in channels]
        + [leaf(b"\1" + miner_line_bytes(line)) for line in miners]
        + [leaf(b"\2" + uint(one["channel"], U64) + miner_line_bytes(one["line"])) for one in given_up]
    )


# ---- the file -------------------------------------------------------------------------------------------------------


class Checker:
    def __init__(self, vectors):
        self.vectors = vectors
        self.genesis = unhex(vectors["genesis"])
        self.keys = {key["name"]: unhex(key["public"]) for key in vectors["keys"]}
        self.checked = 0

    def equal(self, what, made, stated):
        self.checked += 1
        if made != stated:
            show = lambda value: value.hex() if isinstance(value, bytes) else value
            sys.exit(f"{what}: this program says {show(made)}, the file {show(stated)}")

    def payload(self, tag, *parts):
        return text(tag) + self.genesis + b"".join(parts)

    def signature(self, what, key, payload, signature):
        self.equal(what, ed25519.verify(key, payload, unhex(signature)), True)
        self.equal(f"{what}, of a longer message", ed25519.verify(key, payload + b"\0", unhex(signature)), False)

    def all(self):
        for key in self.vectors["keys"]:
            self.equal(key["name"], ed25519.public(bytes([key["seed_byte"]]) * 32), unhex(key["public"]))
        self.content(self.vectors["content"])
        for voucher in self.vectors["vouchers"]:
            self.voucher(voucher)
        for batch in self.vectors["batches"]:
            self.batch(batch)
        self.settle()
        given_up = self.vectors["given_up"]
        self.batch(given_up["batch"])
        self.paid(given_up)
        for case in self.vectors["refused"] + given_up["refused"]:
            made = check_lists(case["header"], case["channels"], case["miners"], case["given_up"])
            self.equal(case["name"], made, case["refusal"])
        for pair in self.vectors["pairs"]:
            self.pair(pair)
        for case in self.vectors["tariffs"]:
            self.tariff(case)
        for case in self.vectors["claims"]:
            self.claim(case)

    # -- what a request and its answer are hashed into

    def salt(self, secret, part):
        return blake(text("gridproof/salt/v1") + secret + bytes([PARTS.index(part)]))

    def content(self, content):
        secret = unhex(content["secret"])
        request = content["request"].encode()
        salt = self.salt(secret, "request")
        self.equal("salt of the request", salt, unhex(content["request_salt"]))
        spec_hash = blake(text("gridproof/spec/v1") + salt + compact(len(request)) + request)
        self.equal("spec hash", spec_hash, unhex(content["spec_hash"]))
        leaves = []
        for number, opening in enumerate(content["openings"], 1):
            salt = self.salt(secret, opening["part"])
            self.equal(f"salt of {opening['part']}", salt, unhex(opening["salt"]))
            if opening["tokens"] is None:
                sampling = content["sampling"]
                body = b"".join(
                    uint(sampling[name], U32) for name in ("temperature_milli", "top_p_milli", "max_tokens")
                ) + unhex(sampling["further"])
            else:
                tokens = opening["tokens"]
                body = compact(len(tokens)) + b"".join(uint(token, U32) for token in tokens)
            leaves.append(leaf(bytes([number]) + salt + body))
        output_root = unhex(content["output_root"])
        self.equal("output root", root(leaves), output_root)
        for index, opening in enumerate(content["openings"]):
            siblings = [unhex(hash_) for hash_ in opening["path"]]
            self.equal(f"path of {opening['part']}", path(leaves, index), siblings)
            made = root_of_path(leaves[index], index, 3, siblings)
            self.equal(f"opening of {opening['part']}", made, output_root)
        job = content["job"]
        seed = blake(text("gridproof/seed/v1") + unhex(job["id"]) + unhex(job["nonce"]))
        self.equal("seed of a job", seed, unhex(job["seed"]))

    def voucher(self, case):
        voucher = case["voucher"]
        what = f"voucher {voucher['number']} of channel {voucher['channel']}"
        payload = self.payload("gridproof/voucher/v1", voucher_bytes(voucher))
        self.equal(what, payload, unhex(case["payload"]))
        self.equal(f"seed of {what}", blake(payload), unhex(case["seed"]))
        self.signature(what, unhex(case["signer"]), payload, case["signature"])

    # -- receipts, lines, headers

    def receipt(self, one, header):
        receipt = one["receipt"]
        what = f"receipt {receipt['number']} of channel {receipt['channel']}"
        of_miner = self.payload("gridproof/receipt/v2", MINER, receipt_bytes(receipt))
        self.equal(what, of_miner, unhex(one["miner_payload"]))
        self.equal(f"id of {what}", blake(of_miner), unhex(one["id"]))
        if receipt["miner"] is None:
            self.equal(f"signature of {what}", one["miner_signature"], None)
            self.equal(f"price of {what}", (int(receipt["price"]), receipt["weight"]), (0, 0))
        else:
            self.signature(what, unhex(receipt["miner"]), of_miner, one["miner_signature"])
        body = channel_receipt_bytes(one)
        of_coordinator = self.payload("gridproof/receipt/v2", COORDINATOR, body)
        self.equal(f"sums of {what}", of_coordinator, unhex(one["coordinator_payload"]))
        self.signature(what, unhex(header["coordinator"]), of_coordinator, one["coordinator_signature"])
        self.equal(f"leaf of {what}", leaf(body), unhex(one["leaf"]))
        self.equal(f"kind of {what}", one["kind"], header["kind"])
        tokens = receipt["input_tokens"] + receipt["output_tokens"]
        self.equal(f"weight of {what}", tokens * self.vectors["model_factor"] // 1000, receipt["weight"])

    def batch(self, batch):
        header = batch["header"]
        what = f"batch {header['sequence']}"
        made = header_bytes(header)
        self.equal(f"header of {what}", made, unhex(batch["header_bytes"]))
        header_hash = blake(made)
        self.equal(f"hash of {what}", header_hash, unhex(batch["header_hash"]))
        payload = self.payload("gridproof/settlement/v1", made)
        self.equal(f"payload of {what}", payload, unhex(batch["header_payload"]))
        self.signature(what, unhex(header["coordinator"]), payload, batch["header_signature"])
        channels = [signed["line"] for signed in batch["channels"]]
        miners = [signed["line"] for signed in batch["miners"]]
        given_up = batch["given_up"]
        self.equal(f"lists of {what}", check_lists(header, channels, miners, given_up), None)
        lines = line_leaves(channels, miners, given_up)
        stated = [unhex(signed["leaf"]) for signed in batch["channels"] + batch["miners"] + given_up]
        self.equal(f"leaves of lines of {what}", lines, stated)
        for signed in batch["miners"]:
            payload = self.payload("gridproof/line/v1", header_hash, miner_line_bytes(signed["line"]))
            self.equal(f"line of {what}", payload, unhex(signed["payload"]))
            if signed["line"]["miner"] is not None:
                self.signature(f"line of {what}", unhex(signed["line"]["miner"]), payload, signed["signature"])
        for one in batch["receipts"]:
            self.receipt(one, header)
        self.lines_of_receipts(what, batch, channels, miners)
        self.proofs(what, batch, lines)

    def lines_of_receipts(self, what, batch, channels, miners):
        """Makes both lists from the receipts, which must join on to each other."""
        receipts = batch["receipts"]
        place = lambda one: (one["receipt"]["miner"] or "", one["miner_sums"]["count"])
        self.equal(f"order of {what}", rising([place(one) for one in receipts]), True)
        ended = {one["channel"] for one in batch["given_up"]}
        settled = [one for one in receipts if one["receipt"]["channel"] not in ended]
        self.ranges(what, batch, [one for one in receipts if one["receipt"]["channel"] in ended])
        by_channel = sorted(settled, key=lambda one: (one["receipt"]["channel"], one["channel_sums"]["count"]))
        newest = {line["voucher"]["channel"]: line["voucher"]["number"] for line in channels}
        made = []
        for channel, group in groupby(by_channel, lambda one: one["receipt"]["channel"]):
            group = list(group)
            numbers = [one["receipt"]["number"] for one in group]
            self.equal(f"vouchers of {what}", len(set(numbers)), len(numbers))
            self.equal(f"newest voucher of {what}", max(numbers) <= newest[channel], True)
            made.append((channel, *self.join(what, [channel_ends(one) for one in group])))
        stated = [
            (line["voucher"]["channel"], channel_point(line["from"]), channel_point(line["to"])) for line in channels
        ]
        self.equal(f"channels of {what}", made, stated)
        made = []
        for miner, group in groupby(receipts, lambda one: one["receipt"]["miner"]):
            made.append((miner, *self.join(what, [miner_ends(one) for one in group])))
        stated = [(line["miner"], miner_point(line["from"]), miner_point(line["to"])) for line in miners]
        self.equal(f"miners of {what}", made, stated)

    def ranges(self, what, batch, receipts):
        """Makes what is given up from the receipts of the channels that have ended."""
        made = []
        for one in receipts:
            start, end = miner_ends(one)
            of = (one["receipt"]["channel"], one["receipt"]["miner"])
            if made and made[-1][0] == of and made[-1][2] == start:
                made[-1] = (of, made[-1][1], end)
            else:
                made.append((of, start, end))
        stated = [
            ((one["channel"], one["line"]["miner"]), *(miner_point(one["line"][name]) for name in ("from", "to")))
            for one in batch["given_up"]
        ]
        self.equal(f"given up by {what}", made, stated)

    def paid(self, case):
        """What is paid of each miner is its line without what is given up."""
        batch = case["batch"]
        for signed, stated in zip(batch["miners"], case["paid"]):
            miner = signed["line"]["miner"]
            own = [one["line"] for one in batch["given_up"] if one["line"]["miner"] == miner]
            given = total(own, miner_point) if own else [0, 0, 0]
            made = [one - other for one, other in zip(total([signed["line"]], miner_point), given)]
            self.equal("miner of what is paid", miner, stated["miner"])
            self.equal("what is paid", made, [stated["receipts"], int(stated["price"]), int(stated["weight"])])

    def join(self, what, ends):
        """The first and the last point of receipts that follow each other."""
        for (_, after), (start, _) in zip(ends, ends[1:]):
            self.equal(f"receipts of {what} join on", start, after)
        return ends[0][0], ends[-1][1]

    def proofs(self, what, batch, lines):
        header = batch["header"]
        leaves = [unhex(one["leaf"]) for one in batch["receipts"]]
        self.equal(f"root of {what}", root(leaves), unhex(header["receipts_root"]))
        numbers = (len(leaves), len(lines))
        for index, proof in enumerate(batch["proofs"]):
            one = batch["receipts"][index]
            ended = {range_["channel"] for range_ in batch["given_up"]}
            self.equal("no proof of what is given up", proof is None, one["receipt"]["channel"] in ended)
            if proof is None:
                continue
            self.equal(f"index of {what}", index, proof["index"])
            self.prove(f"receipt of {what}", leaves, index, proof["path"], header["receipts_root"])
            at_channel, at_miner = proof["channel_index"], proof["miner_index"]
            self.prove(f"channel of {what}", lines, at_channel, proof["channel_path"], header["lines_root"])
            self.prove(f"miner of {what}", lines, at_miner, proof["miner_path"], header["lines_root"])
            channel = batch["channels"][at_channel]["line"]
            miner = batch["miners"][at_miner - header["channels"]]["line"]
            self.equal("line of the channel", channel["voucher"]["channel"], one["receipt"]["channel"])
            self.equal("line of the miner", miner["miner"], one["receipt"]["miner"])
            self.within(channel, channel_point, channel_ends(one))
            self.within(miner, miner_point, miner_ends(one))
            # The lines alone say where a receipt is.
            ahead = [line["line"] for line in batch["miners"][: at_miner - header["channels"]]]
            offset = total(ahead, miner_point)[0] if ahead else 0
            place = offset + one["miner_sums"]["count"] - miner["from"]["count"] - 1
            self.equal("place of the receipt", place, index)
        self.equal(f"numbers of {what}", (header["receipts"], header["channels"] + header["miners"]), numbers)

    def prove(self, what, leaves, index, stated, of_root):
        siblings = [unhex(hash_) for hash_ in stated]
        self.equal(f"path of {what}", path(leaves, index), siblings)
        self.equal(f"proof of {what}", root_of_path(leaves[index], index, len(leaves), siblings), unhex(of_root))
        other = leaf(b"something else")
        self.equal(f"no proof of {what}", root_of_path(other, index, len(leaves), siblings) == unhex(of_root), False)

    def within(self, line, point, ends):
        first, last = point(line["from"]), point(line["to"])
        inside = first[0] <= ends[0][0] and ends[1][0] <= last[0]
        agrees = all(agree(end, edge) for end in ends for edge in (first, last))
        self.equal("running sums within the line", inside and agrees, True)

    # -- the chain

    def settle(self):
        """Settles all batches in order: every range joins on, and each voucher is used once."""
        signers = {}
        for case in self.vectors["vouchers"]:
            signers[case["voucher"]["channel"]] = unhex(case["signer"])
        channels, miners, used = {}, {}, set()
        sequence, previous = 0, bytes(32)
        for batch in self.vectors["batches"]:
            header = batch["header"]
            stated = (header["sequence"], unhex(header["previous"]))
            self.equal("chain of headers", (sequence, previous), stated)
            sequence, previous = sequence + 1, unhex(batch["header_hash"])
            for signed in batch["channels"]:
                line = signed["line"]
                channel = line["voucher"]["channel"]
                payload = self.payload("gridproof/voucher/v1", voucher_bytes(line["voucher"]))
                self.signature("newest voucher", signers[channel], payload, signed["voucher_signature"])
                start = channels.get(channel, {"sums": (0, (0,)), "number": 0})
                self.equal("channel joins on", start["sums"], channel_point(line["from"]))
                self.equal("newer voucher", line["voucher"]["number"] >= start["number"], True)
                channels[channel] = {"sums": channel_point(line["to"]), "number": line["voucher"]["number"]}
            for signed in batch["miners"]:
                line = signed["line"]
                key = (json.dumps(header["kind"], sort_keys=True), line["miner"])
                self.equal("miner joins on", miners.get(key, (0, (0, 0))), miner_point(line["from"]))
                miners[key] = miner_point(line["to"])
            for one in batch["receipts"]:
                voucher = (one["receipt"]["channel"], one["receipt"]["number"])
                self.equal("voucher is used once", voucher in used, False)
                used.add(voucher)
        for row in self.vectors["settled"]:
            state = channels[row["channel"]]
            self.equal("settled sums", state["sums"], channel_point(row["sums"]))
            self.equal("settled voucher", state["number"], row["voucher_number"])
            self.equal("left", 1_000_000 - state["sums"][1][0], int(row["left"]))

    def pair(self, pair):
        first, second = pair["first"], pair["second"]
        agrees = both_can_be(channel_ends(first), channel_ends(second))
        self.equal(f"{pair['name']}: channel", agrees, pair["channel_agrees"])
        one_miner = first["receipt"]["miner"] == second["receipt"]["miner"]
        agrees = both_can_be(miner_ends(first), miner_ends(second)) if one_miner else None
        self.equal(f"{pair['name']}: miner", agrees, pair["miner_agrees"])

    # -- money

    def tariff(self, case):
        tokens = case["tokens_per_day"] * case["days"]
        cost = lambda used: -(-int(case["price"]) * min(used, tokens) // tokens)
        made = cost(case["used"] + case["tokens"]) - cost(case["used"])
        self.equal("price of a tariff", made, int(case["costs"]))

    def claim(self, case):
        (_, price, weight) = total([case["line"]], miner_point)
        share = -(-price * case["treasury_ppm"] // 1_000_000)
        rate = case["rate"]
        counted = {"ait": share, "aicp": share * 10**12 * rate["ait"] // (2 * rate["aicp"])}
        mints = case["kind"]["mode"] == "ordinary"
        received = counted.get(case["kind"]["asset"], 0) if mints else 0
        self.equal("received", received, int(case["received"]))
        bound = min(weight * case["mint_per_unit"], received * case["gamma_ppm"] // 1_000_000)
        claim = bound * case["class"] * case["score"] // 10**7
        self.equal("claim", claim if case["line"]["miner"] else 0, int(case["claim"]))


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("channels.json")
    checker = Checker(json.loads(file.read_text(encoding="utf-8")))
    checker.all()
    print(f"{file.name}: {checker.checked} values agree")


if __name__ == "__main__":
    main()
