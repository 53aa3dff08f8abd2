"""The text of a manifest, piece by piece, whatever bytes it is made of.

Bytes that are no UTF-8 are noted with their offset and travel on as lone surrogates (PEP 383), which UTF-8 itself
never yields: reading goes on, and everything else that is wrong is found in the same run.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from headrace.manifests.notes import Notes
from headrace.rules.manifest_mistakes import Mistake

PIECE_BYTES: Final = 1 << 18

_NO_UTF_8: Final = re.compile("[\udc80-\udcff]+")
_OTHER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def pieces(stream: BinaryIO, notes: Notes) -> Iterator[str]:
    """The stream's text without a byte order mark; no piece is empty. Text of another encoding ends at its mark."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    start_byte = 0
    data = stream.read(PIECE_BYTES)
    if data.startswith(_OTHER_MARKS):
        notes.add(Mistake.OTHER_ENCODING, byte=0, value=repr(data[:2]))
        return
    if data.startswith(codecs.BOM_UTF8):
        notes.add(Mistake.BYTE_ORDER_MARK, byte=0)
        data, start_byte = data[len(codecs.BOM_UTF8) :], len(codecs.BOM_UTF8)
    while data:
        piece = decoder.decode(data)
        start_byte = _note_other_bytes(piece, start_byte, notes)
        if piece:
            yield piece
        data = stream.read(PIECE_BYTES)
    if rest := decoder.decode(b"", final=True):
        _note_other_bytes(rest, start_byte, notes)
        yield rest


def size_bytes(text: str) -> int:
    """How many bytes of the file the text was."""
    return len(text) if text.isascii() else len(text.encode("utf-8", errors="surrogateescape"))


def _note_other_bytes(piece: str, start_byte: int, notes: Notes) -> int:
    """Note what is no UTF-8 in a piece that begins at ``start_byte``; where the next piece begins."""
    if piece.isascii():
        return start_byte + len(piece)
    seen, byte = 0, start_byte
    for found in _NO_UTF_8.finditer(piece):
        if notes.is_full(Mistake.NOT_UTF_8):
            notes.add(Mistake.NOT_UTF_8)
            continue
        byte += size_bytes(piece[seen : found.start()])
        seen = found.start()
        value = found.group()[:8].encode("utf-8", errors="surrogateescape")
        notes.add(Mistake.NOT_UTF_8, byte=byte, value=repr(value))
    return start_byte + size_bytes(piece)
