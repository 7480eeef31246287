"""Checks an OpenTimestamps file with the opentimestamps package.

    python ots.py FILE DIGEST MERKLE_ROOT HEIGHT    attested by a Bitcoin block
    python ots.py FILE DIGEST pending ADDRESS       promised by a calendar

DIGEST and MERKLE_ROOT are hexadecimal, the latter as block explorers print it.
"""

import sys

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile


def main(path, digest, wanted, where):
    with open(path, "rb") as file:
        context = BytesDeserializationContext(file.read())
    detached = DetachedTimestampFile.deserialize(context)
    context.assert_eof()
    assert isinstance(detached.file_hash_op, OpSHA256), detached.file_hash_op
    assert detached.file_digest == bytes.fromhex(digest), detached.file_digest.hex()
    attestations = list(detached.timestamp.all_attestations())
    assert len(attestations) == 1, attestations
    message, attestation = attestations[0]
    if wanted == "pending":
        assert isinstance(attestation, PendingAttestation), attestation
        assert attestation.uri == where, attestation.uri
        return
    assert isinstance(attestation, BitcoinBlockHeaderAttestation), attestation
    assert attestation.height == int(where), attestation.height
    assert message == bytes.fromhex(wanted)[::-1], message.hex()


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("ok")
