"""The objects that a manifest names, kept as hashes on disk: which are named twice, and which are not in S3.

Five million keys are hundreds of megabytes as Python strings. A 64-bit hash and a number are 16 bytes, and lie in 64
temporary files by their hash, so that only a 64th is in memory at a time. Two keys among five million have the same
hash once in a million manifests; a missing object is then overlooked, nothing worse.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from headrace.manifests.keys import common_start
from headrace.manifests.notes import Notes
from headrace.rules.manifest_mistakes import Mistake

MAX_BUCKETS: Final = 20

_PARTS: Final = 64
_FLUSH_ITEMS: Final = 8192
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Some references of a manifest, all into one bucket: its keys, and their element or line numbers."""

    bucket: str
    keys: Sequence[str]
    numbers: Sequence[int]


@dataclass(slots=True)
class Extent:
    """How many keys of a bucket are named, and what they all begin with."""

    count: int
    common_prefix: str


class NumberedHashes:
    """Texts as hashes with a number each, in parts on disk. Closing it deletes them."""

    def __init__(self) -> None:
        """Empty; files are made when they are needed."""
        self._memory = [array("q") for _ in range(_PARTS)]
        self._files: list[IO[bytes] | None] = [None] * _PARTS

    def add(self, bucket: str, keys: Sequence[str], numbers: Sequence[int]) -> None:
        """Take in keys of a bucket, with their numbers."""
        for value, number in zip(map(hash, map(f"{bucket}/".__add__, keys)), numbers, strict=True):
            part = self._memory[value % _PARTS]
            part.append(value)
            part.append(number)
        for index, part in enumerate(self._memory):
            if len(part) >= _FLUSH_ITEMS:
                self._flush(index)

    def repeats(self) -> Iterator[int]:
        """The numbers of texts that came before under a lower number."""
        for index in range(_PARTS):
            hashes, numbers = self._read(index)
            if len(set(hashes)) == len(hashes):
                continue
            seen: set[int] = set()
            for value, number in zip(hashes, numbers, strict=True):
                if value in seen:
                    yield number
                seen.add(value)

    def missing_from(self, found: NumberedHashes) -> Iterator[int]:
        """The numbers of texts that ``found`` does not hold."""
        for index in range(_PARTS):
            hashes, numbers = self._read(index)
            missing = set(hashes)
            for some in found._pieces(index):
                missing.difference_update(some[0::2])
            if missing:
                yield from (number for value, number in zip(hashes, numbers, strict=True) if value in missing)

    def close(self) -> None:
        """Delete the files."""
        for each in self._files:
            if each is not None:
                each.close()

    def _flush(self, index: int) -> None:
        file = self._files[index]
        if file is None:
            file = self._files[index] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        file.write(self._memory[index].tobytes())
        self._memory[index] = array("q")

    def _read(self, index: int) -> tuple[array[int], array[int]]:
        whole = array("q")
        for piece in self._pieces(index):
            whole.extend(piece)
        return whole[0::2], whole[1::2]

    def _pieces(self, index: int) -> Iterator[array[int]]:
        file = self._files[index]
        if file is not None:
            file.seek(0)
            while data := file.read(_READ_BYTES):
                piece = array("q")
                piece.frombytes(data)
                yield piece
        if self._memory[index]:
            yield self._memory[index]


class References:
    """All that a manifest refers to, in its first :data:`MAX_BUCKETS` buckets."""

    def __init__(self) -> None:
        """Nothing so far."""
        self.hashes = NumberedHashes()
        self.extents: dict[str, Extent] = {}
        self._first_left_out: Batch | None = None
        self._left_out_count = 0

    def add(self, batch: Batch) -> None:
        """Take in a batch."""
        extent = self.extents.get(batch.bucket)
        if extent is None and len(self.extents) >= MAX_BUCKETS:
            self._first_left_out = self._first_left_out or batch
            self._left_out_count += len(batch.keys)
            return
        self.hashes.add(batch.bucket, batch.keys, batch.numbers)
        # what the least and the greatest of some texts have in common, all of them have
        common = common_start(min(batch.keys), max(batch.keys))
        if extent is None:
            self.extents[batch.bucket] = Extent(len(batch.keys), common)
        else:
            extent.count += len(batch.keys)
            extent.common_prefix = common_start(extent.common_prefix, common)

    def note_left_out(self, notes: Notes) -> None:
        """Note how many references lie in further buckets."""
        if self._first_left_out is not None:
            value = f"{self._left_out_count:,} objects in further buckets, the first {self._first_left_out.bucket}"
            notes.add(Mistake.NOT_LOOKED_UP, self._first_left_out.numbers[0], value)
