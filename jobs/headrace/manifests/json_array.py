"""A JSON array read in batches, in memory that does not grow with it.

The standard ``json`` reads whole texts only. Here a pattern finds the longest run of complete strings in the text at
hand, which ``json`` then reads in one call; what is no plain string is read element by element. So the grammar stays
that of ``json``, apart from NaN and Infinity, which JSON does not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from headrace.manifests.text import size_bytes
from headrace.rules.manifest_mistakes import MAX_READ_CHARACTERS

_SPACE: Final = re.compile(r"[ \t\r\n]*+")
# possessive, so that text which breaks off is not read again from every place that might have been an end
_RUN: Final = re.compile(
    r'(?:[ \t\r\n]*+"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"[ \t\r\n]*+,)++'
)


class NotAnArray(ValueError):
    """The text begins with something else."""


class TooLong(ValueError):
    """An element goes on for longer than anything that is meant as a key."""


class Breaks(Exception):
    """The array cannot be read further: ``cause`` says why, at ``byte`` of the text, in element ``number``."""

    def __init__(self, cause: ValueError, number: int, byte: int) -> None:
        """``byte`` is counted from where the text begins."""
        self.cause = cause
        self.number = number
        self.byte = byte
        super().__init__(str(cause))


def batches(text: Iterator[str]) -> Iterator[list[Any]]:
    """The elements of the array in order, in lists of at least one. Raises Breaks where it is no JSON array."""
    return _ArrayReader(text).batches()


class _ArrayReader:
    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self._buffer_byte = 0
        self._number = 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def batches(self) -> Iterator[list[Any]]:
        if self._skip_space() != "[":
            raise self._broken(NotAnArray("no '['"))
        self._at += 1
        if self._skip_space() == "]":
            self._finish()
            return
        while True:
            if run := _RUN.match(self._buffer, self._at):
                yield self._count(json.loads(f"[{self._buffer[self._at : run.end() - 1]}]"))
                self._at = run.end()
            yield self._count([self._element()])
            if self._buffer[self._at] == "]":
                self._finish()
                return
            self._at += 1

    def _count(self, values: list[Any]) -> list[Any]:
        self._number += len(values)
        return values

    def _element(self) -> Any:
        """The next element; the text then stands at the comma or bracket after it."""
        if not self._skip_space():
            raise self._broken(ValueError("the text ends before its ']'"))
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
                end = _end(_SPACE.match(self._buffer, end))
            except (ValueError, RecursionError) as error:
                if self._remaining() > MAX_READ_CHARACTERS or not self._read_on():
                    raise self._broken_by(error) from None
                continue
            if self._buffer[end : end + 1] not in ("]", ","):
                if self._remaining() <= MAX_READ_CHARACTERS and self._read_on():
                    continue  # a number may go on
                raise self._broken(ValueError("no ',' or ']' after an element"), end)
            self._at = end
            return value

    def _skip_space(self) -> str:
        """Go to the next character that is no space; the character, or '' at the end."""
        while True:
            self._at = _end(_SPACE.match(self._buffer, self._at))
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_on():
                return ""

    def _remaining(self) -> int:
        return len(self._buffer) - self._at

    def _read_on(self) -> bool:
        piece = next(self._text, "")
        if piece:
            self._buffer_byte += size_bytes(self._buffer[: self._at])
            self._buffer = self._buffer[self._at :] + piece
            self._at = 0
        return bool(piece)

    def _finish(self) -> None:
        self._at += 1
        if self._skip_space():
            raise self._broken(ValueError("text after the array's ']'"))

    def _broken_by(self, error: ValueError | RecursionError) -> Breaks:
        if isinstance(error, json.JSONDecodeError):
            goes_on = error.msg.startswith("Unterminated string") or error.pos >= len(self._buffer)
            if goes_on and self._remaining() > MAX_READ_CHARACTERS:
                return self._broken(TooLong("an element without end"))
            return self._broken(ValueError(error.msg), error.pos)
        reason = "nested too deep" if isinstance(error, RecursionError) else "no JSON value"
        return self._broken(ValueError(reason))

    def _broken(self, cause: ValueError, at: int | None = None) -> Breaks:
        before = self._buffer[: self._at if at is None else at]
        return Breaks(cause, self._number, self._buffer_byte + size_bytes(before))


def _end(found: re.Match[str] | None) -> int:
    # a pattern that also matches nothing always matches
    return found.end() if found else 0


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
