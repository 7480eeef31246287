"""The training text: six novels by Jane Austen (1775-1817), in the public domain.

They are read from Debian's package r-cran-janeaustenr (MIT; text of Project Gutenberg), whose data
is stored in R's own serialisation. R is not needed to read it.
"""

import gzip
import hashlib
import lzma
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

PACKAGE = "r-cran-janeaustenr"
DATA = "usr/lib/R/site-library/janeaustenr/data/Rdata"
NOVELS = ("sensesensibility", "prideprejudice", "mansfieldpark", "emma", "northangerabbey", "persuasion")


class Reader:
    """R's binary serialisation (XDR), as far as lists, numbers and strings go."""

    def __init__(self, data: bytes):
        self.data = data[2:]
        self.at = 0
        self.references = []
        if data[:2] != b"X\n":
            raise ValueError("not R's binary format")
        version = self.integer()
        self.at += 8
        if version >= 3:
            encoding = self.integer()
            self.at += encoding

    def integer(self) -> int:
        self.at += 4
        return struct.unpack_from(">i", self.data, self.at - 4)[0]

    def item(self):
        flags = self.integer()
        kind, attributes, tag = flags & 0xFF, flags & 0x200, flags & 0x400
        if kind == 255:
            return self.references[(flags >> 8) - 1]
        if kind in (254, 253, 251):
            return None
        if kind == 1:
            self.references.append(self.item())
            return self.references[-1]
        if kind == 2:
            return self.pairs(attributes, tag)
        if kind == 9:
            length = self.integer()
            if length < 0:
                return None
            self.at += length
            return self.data[self.at - length : self.at].decode("utf-8")
        value = self.vector(kind)
        names = dict(self.item() or []).get("names") if attributes else None
        return dict(zip(names, value)) if names else value

    def pairs(self, attributes, tag):
        found = []
        while True:
            if attributes:
                self.item()
            name = self.item() if tag else None
            found.append((name, self.item()))
            flags = self.integer()
            if flags & 0xFF != 2:
                return found
            attributes, tag = flags & 0x200, flags & 0x400

    def vector(self, kind):
        length = self.integer()
        if kind in (10, 13):
            return [self.integer() for _ in range(length)]
        if kind == 14:
            self.at += 8 * length
            return list(struct.unpack_from(f">{length}d", self.data, self.at - 8 * length))
        if kind in (16, 19):
            return [self.item() for _ in range(length)]
        raise ValueError(f"R's type {kind} is not expected here")


def unpack(blob: bytes) -> bytes:
    """One object of a lazy-load database: length, a letter for the method, compressed bytes."""
    if blob[4:5] == b"Z":
        return lzma.decompress(blob[5:], format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
    if blob[4:5] in (b"2", b"0"):
        raise ValueError("a compression that this package did not use")
    return zlib.decompress(blob[4:])


def novels(folder: Path) -> dict[str, list[str]]:
    """The lines of each novel, from the package unpacked in `folder`."""
    index = (folder / (DATA + ".rdx")).read_bytes()
    try:
        index = gzip.decompress(index)
    except gzip.BadGzipFile:
        index = zlib.decompress(index)
    index = Reader(index).item()["variables"]
    base = (folder / (DATA + ".rdb")).read_bytes()
    found = {}
    for name in NOVELS:
        start, length = (int(number) for number in index[name])
        found[name] = Reader(unpack(base[start : start + length])).item()
    return found


def paragraphs(lines: list[str]) -> str:
    """Lines of print joined to paragraphs, one blank line between two of them."""
    text = "\n".join(line.rstrip() for line in lines)
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    text = "\n\n".join(block for block in blocks if block)
    for typographic, plain in (("\u2019", "'"), ("\u2018", "'"), ("\u201c", '"'), ("\u201d", '"'), ("_", ""), ("--", "\u2014")):
        text = text.replace(typographic, plain)
    return text


def load(package: Path | None) -> str:
    """All novels as one text. Without a package file, apt fetches it."""
    with tempfile.TemporaryDirectory() as folder:
        if package is None:
            subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=folder, check=True)
            package = next(Path(folder).glob("*.deb"))
        print(f"text: {package.name}, SHA-256 {hashlib.sha256(package.read_bytes()).hexdigest()}", flush=True)
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        books = novels(Path(folder))
    return "\n\n".join(paragraphs(lines) for lines in books.values()) + "\n"
