"""RecordIO as MXNet reads it: how Pipe mode wraps records so that a script can tell them apart.

A record is the magic number, a word that holds a flag (3 bits) and the length (29 bits), the data, and zeros up to a
multiple of four bytes. The magic number may not stand at such a multiple inside of a record, where a reader that looks
for the next record would take it for one: there the record is split, and the reader puts the number back between the
parts. Source: dmlc-core, include/dmlc/recordio.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_RECORD_BYTES = 2**29 - 1
_MAGIC = struct.pack("<I", 0xCED7230A)
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def framed(record: bytes) -> bytes:
    """The record in its frame. Raises ValueError when it is longer than the length can say."""
    if len(record) > MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(record)} bytes; RecordIO holds at most {MAX_RECORD_BYTES}")
    parts, begin = [], 0
    for end in _aligned_magic(record):
        parts.append(_part(_MIDDLE if begin else _FIRST, record[begin:end]))
        begin = end + len(_MAGIC)
    parts.append(_part(_LAST if begin else _WHOLE, record[begin:]))
    return b"".join([*parts, bytes(-len(record) % 4)])


def _aligned_magic(record: bytes) -> Iterator[int]:
    place = record.find(_MAGIC)
    while place >= 0:
        is_aligned = place % 4 == 0
        if is_aligned:
            yield place
        place = record.find(_MAGIC, place + (4 if is_aligned else 1))


def _part(flag: int, data: bytes) -> bytes:
    return _MAGIC + struct.pack("<I", flag << _LENGTH_BITS | len(data)) + data
