"""Figures as people say them: "13 h 16 min", "$20.51", "60.1 GB"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT: Final = "\ufffd"
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_LONG_MINUTES: Final = 10
_LONG_DAYS: Final = 2
_MANY_DAYS: Final = 10
_HUNDREDTH: Final = 0.01
_WHOLE_DOLLARS: Final = 1000
_LARGE: Final = 100
_INTERVAL_UNITS: Final = (("days", 4 * _DAY, _DAY), ("h", 2 * _HOUR, _HOUR), ("min", 5 * _MINUTE, _MINUTE), ("s", 0, 1))
_UNITS: Final = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3))


def duration(seconds: float) -> str:
    """Two units at most, the second one where it tells something."""
    if seconds < 1:
        return f"{seconds:.2f} s" if seconds >= _HUNDREDTH else "under 0.01 s" if seconds else "0 s"
    if round(seconds) < _MINUTE:
        return f"{seconds:.0f} s"
    if round(seconds / _MINUTE) < _LONG_MINUTES:
        return _two(round(seconds), _MINUTE, "min", "s")
    if round(seconds / _MINUTE) < _MINUTE:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _LONG_DAYS * _DAY:
        return _two(round(seconds / _MINUTE), _MINUTE, "h", "min")
    if seconds < _MANY_DAYS * _DAY:
        return _two(round(seconds / _HOUR), _DAY // _HOUR, "days", "h")
    return f"{seconds / _DAY:,.0f} days"


def _two(number: int, per_large: int, large: str, small: str) -> str:
    whole, rest = divmod(number, per_large)
    return f"{whole:,} {large} {rest} {small}" if rest else f"{whole:,} {large}"


def usd(dollars: float) -> str:
    """To the cent; large sums to the dollar."""
    if 0 < dollars < _HUNDREDTH:
        return "under $0.01"
    return f"${dollars:,.0f}" if dollars >= _WHOLE_DOLLARS else f"${dollars:,.2f}"


def size(number_of_bytes: float) -> str:
    """In the largest unit of which there is one."""
    for unit, per_unit in _UNITS:
        if number_of_bytes >= per_unit:
            number = number_of_bytes / per_unit
            return f"{_short(number)} {unit}"
    return f"{number_of_bytes:,.0f} bytes"


def count(number: float) -> str:
    """With separators; a fraction where there is one."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def usd_between(span: Mapping[str, float]) -> str:
    """The interval of a sum; empty where both ends read the same."""
    low, high = usd(span["low"]), usd(span["high"])
    return "" if low == high else f"{low}–{high}"


def duration_between(span: Mapping[str, float]) -> str:
    """The interval of a duration, in the unit of its longer end; empty where both ends read the same."""
    unit, seconds = next((unit, one) for unit, least, one in _INTERVAL_UNITS if span["high"] >= least)
    low, high = (_short(span[end] / seconds) for end in ("low", "high"))
    return "" if low == high else f"{low}–{high} {unit}"


def _short(number: float) -> str:
    if number >= _LARGE:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if number >= 1 or not number else f"{number:.2f}"


def heading(name: str) -> tuple[str, str]:
    """A road's name and how it is made ready: what stands before the first comma, and after it."""
    road, _, ready = name.partition(", ")
    return road, ready


def writable(plain: Any) -> Any:
    """The same JSON, without characters that no picture or page can hold: control characters, halves of characters.

    A file's name may hold them. Among the libraries here are some that end the process when they meet one.
    """
    if isinstance(plain, str):
        return _NOT_IN_XML.sub(_REPLACEMENT, plain)
    if isinstance(plain, Mapping):
        return {writable(key): writable(each) for key, each in plain.items()}
    if isinstance(plain, list | tuple):
        return [writable(each) for each in plain]
    return plain
