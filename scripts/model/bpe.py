"""Byte-pair encoding over bytes: the vocabulary, and the text as tokens.

Tokens 0..255 are the bytes, every further token joins two earlier ones. Text is cut into pieces first
(see `pieces`), and no token reaches over a cut. The same rule is in
services/compute/engine/src/tokenizer.rs; models/*/encodings.json holds the two to each other.
"""

from collections import Counter, defaultdict

FIRST_MERGE = 256


def kind(byte: int) -> str:
    if 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 128:
        return "letter"
    if 48 <= byte <= 57:
        return "digit"
    return {32: "space", 10: "line"}.get(byte, "mark")


def pieces(data: bytes) -> list[bytes]:
    """Words and runs of marks, each with at most one space before it; digits and other spaces one
    by one; line ends in a row together."""
    found, at = [], 0
    while at < len(data):
        start = at
        if kind(data[at]) == "space" and at + 1 < len(data) and kind(data[at + 1]) in ("letter", "mark"):
            at += 1
        this = kind(data[at])
        at += 1
        if this in ("letter", "mark", "line"):
            while at < len(data) and kind(data[at]) == this:
                at += 1
        found.append(data[start:at])
    return found


def join(tokens: tuple[int, ...], left: int, right: int, new: int) -> tuple[int, ...]:
    joined, at = [], 0
    while at < len(tokens):
        if at + 1 < len(tokens) and tokens[at] == left and tokens[at + 1] == right:
            joined.append(new)
            at += 2
        else:
            joined.append(tokens[at])
            at += 1
    return tuple(joined)


def learn(text: str, size: int) -> list[tuple[int, int]]:
    """The merges, in the order of their rank; ties go to the smaller pair."""
    words = [[tuple(word), count] for word, count in Counter(pieces(text.encode())).items()]
    pairs, where = Counter(), defaultdict(set)
    for index, (tokens, count) in enumerate(words):
        for pair in zip(tokens, tokens[1:]):
            pairs[pair] += count
            where[pair].add(index)
    merges = []
    while FIRST_MERGE + len(merges) < size:
        best = max(pairs.items(), key=lambda item: (item[1], (-item[0][0], -item[0][1])))[0]
        new = FIRST_MERGE + len(merges)
        merges.append(best)
        for index in sorted(where[best]):
            tokens, count = words[index]
            joined = join(tokens, *best, new)
            for pair in zip(tokens, tokens[1:]):
                pairs[pair] -= count
                where[pair].discard(index)
            for pair in zip(joined, joined[1:]):
                pairs[pair] += count
                where[pair].add(index)
            words[index][0] = joined
    return merges


class Encoder:
    def __init__(self, merges: list[tuple[int, int]]):
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
        self.known = {}

    def piece(self, piece: bytes) -> tuple[int, ...]:
        if piece not in self.known:
            tokens = tuple(piece)
            while len(tokens) > 1:
                rank, pair = min((self.ranks.get(pair, len(self.ranks)), pair) for pair in zip(tokens, tokens[1:]))
                if rank == len(self.ranks):
                    break
                tokens = join(tokens, *pair, FIRST_MERGE + rank)
            self.known[piece] = tokens
        return self.known[piece]

    def encode(self, text: str) -> list[int]:
        return [token for piece in pieces(text.encode()) for token in self.piece(piece)]
