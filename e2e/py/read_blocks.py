"""Reads every block of a chain in full and sends one transfer, with one of the Python clients.

    read_blocks.py substrate-interface|async-substrate-interface ws://127.0.0.1:9944 LAST

Prints one line; fails on the first block that it cannot read, and after two minutes and two seconds a block.
"""

import contextlib
import faulthandler
import sys

AIT = 10**18
# The phrase that every Substrate development key comes from; it is public.
DEVELOPMENT = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"


class Key:
    """An sr25519 key of a development account, for the client that brings none."""

    crypto_type = 1
    ss58_format = 42

    def __init__(self, name):
        import bip39
        import sr25519
        from scalecodec.utils.ss58 import ss58_encode

        seed = bip39.bip39_to_mini_secret(DEVELOPMENT, "")
        # A hard junction: the name with its length before it, filled with zeros.
        junction = (bytes([len(name) * 4]) + name.encode()).ljust(32, b"\0")
        public, private = sr25519.pair_from_seed(bytes(seed))
        pair = sr25519.hard_derive_keypair((junction, public, private), b"")
        self.public_key, self.private_key = bytes(pair[1]), bytes(pair[2])
        self.ss58_address = ss58_encode(self.public_key, self.ss58_format)

    def sign(self, data):
        import sr25519

        data = bytes.fromhex(data[2:]) if isinstance(data, str) else bytes(data)
        return sr25519.sign((self.public_key, self.private_key), data)


def connect(client, url):
    """The client's connection, and its way to a development key."""
    if client == "substrate-interface":
        from substrateinterface import Keypair, SubstrateInterface

        return SubstrateInterface(url=url), lambda name: Keypair.create_from_uri(f"//{name}")
    from async_substrate_interface.sync_substrate import SubstrateInterface

    return SubstrateInterface(url=url), Key


def read(chain, last):
    """Every transaction of every block; gives how many there are, and how many are signed."""
    count = signed = 0
    for number in range(1, last + 1):
        block = chain.get_block(block_number=number)
        if block is None:
            sys.exit(f"block {number} is not there")
        for extrinsic in block["extrinsics"]:
            value = extrinsic.value if hasattr(extrinsic, "value") else extrinsic
            assert value["call"]["call_function"], f"block {number}: {value}"
            count += 1
            signed += value.get("address") is not None
    return count, signed


def send(chain, key):
    """A transfer, which these clients look for in the block that it is in."""
    sender, receiver = key("Dave"), key("read")
    call = chain.compose_call(
        call_module="Balances",
        call_function="transfer_keep_alive",
        call_params={"dest": receiver.ss58_address, "value": AIT},
    )
    extrinsic = chain.create_signed_extrinsic(call=call, keypair=sender)
    receipt = chain.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    assert receipt.is_success, receipt.error_message
    return receipt.block_hash


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    client, url, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # Whatever hangs, a client's thread at the end included, is shown and ended.
    faulthandler.dump_traceback_later(120 + 2 * last, exit=True)
    chain, key = connect(client, url)
    # A client whose connection is left open waits for it in a thread of its own, and never exits.
    with contextlib.closing(chain):
        count, signed = read(chain, last)
        block = send(chain, key)
    print(f"{client}: {count} transactions of {last} blocks, {signed} signed; a transfer in {block}")


if __name__ == "__main__":
    main()
