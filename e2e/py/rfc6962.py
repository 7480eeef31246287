"""Checks proofs of the gateway's API with pymerkle, an implementation of RFC 6962 by others.

    python rfc6962.py DOCUMENTS    one object a line: {"leaves": [text, ...], "proof": document}

The leaves are the canonical logs of the batch, in order.
"""

import json
import sys

from pymerkle import InmemoryTree


def check(leaves, proof):
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf.encode())
    root = tree.get_root().hex()
    assert root == proof["merkle_root"], (root, proof["merkle_root"])
    assert proof["tree_size"] == len(leaves), proof["tree_size"]
    index = proof["index"]
    assert tree.get_leaf(index + 1).hex() == proof["leaf_hash"], index
    theirs = tree.prove_inclusion(index + 1).path
    siblings = [step["hash"] for step in proof["proof"]]
    # pymerkle's path begins with the leaf itself.
    path = [node.hex() for node in theirs]
    assert sorted(path) == sorted([proof["leaf_hash"], *siblings]), (path, siblings)


def main(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            document = json.loads(line)
            check(document["leaves"], document["proof"])


if __name__ == "__main__":
    main(sys.argv[1])
    print("ok")
