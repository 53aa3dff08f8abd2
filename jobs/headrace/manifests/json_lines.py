"""JSON Lines read in batches: each line apart, so that one broken line hides none of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from headrace.rules.manifest_mistakes import MAX_READ_CHARACTERS

TOO_LONG: Final = "\n"
"""Stands for a line that was too long to be read; no line holds a line break."""


def lines(text: Iterator[str]) -> Iterator[list[str]]:
    """The lines without their ends (``\\n`` or ``\\r\\n``), in lists; an empty one at the end of the file is none."""
    rest, skipping = "", False
    for piece in text:
        rest += piece
        if len(rest) > MAX_READ_CHARACTERS and "\n" not in piece:
            rest, skipping = "", True
            continue
        *whole, rest = rest.split("\n")
        if whole and skipping:
            whole[0], skipping = TOO_LONG, False
        if whole:
            yield [each if len(each) <= MAX_READ_CHARACTERS else TOO_LONG for each in map(_without_return, whole)]
    if rest or skipping:
        yield [TOO_LONG if skipping else _without_return(rest)]


def decode(line: str) -> Any:
    """The line's JSON value. Raises ValueError with the reason in a few words."""
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def _without_return(line: str) -> str:
    return line.removesuffix("\r")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
