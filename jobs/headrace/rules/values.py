"""What a value must be before a rule may compare it, and how a finding shows it.

Settings reach the rules as people wrote them: a number may be text, a list may be one string. A rule asks here
first, so that a wrong kind of value is a finding of that rule and never a TypeError.
"""

from __future__ import annotations

import math
from typing import TypeAlias, TypeGuard

from headrace.rules.finding import Finding, Level, Unknown

Text: TypeAlias = str | Unknown | None
WholeNumber: TypeAlias = int | Unknown | None
Number: TypeAlias = int | float | Unknown | None
Switch: TypeAlias = bool | Unknown | None

_SHOWN_CHARACTERS = 80
# the model's own patterns, which V85 shows, are up to some hundred characters long
_LONGEST_PART = 500


def is_whole_number(value: object) -> TypeGuard[int]:
    """Whether the value is an int; a bool is not a number here."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether the value is an int or a finite float; a bool is not a number here."""
    return is_whole_number(value) or (isinstance(value, float) and math.isfinite(value))


def is_one_of(value: object, choices: tuple[str, ...] | tuple[int, ...]) -> bool:
    """Whether the value equals a choice of the same kind: neither ``True`` nor ``1.0`` is the choice ``1``."""
    return not isinstance(value, bool | float) and value in choices


def is_switch(value: object) -> bool:
    """Whether the value is true, false or not given."""
    return value is None or isinstance(value, bool)


def shown(value: object) -> str:
    """The value as a finding shows it: on one line, cut where it is long."""
    text = "not given" if value is None else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def finding(rule_id: str, field: str, value: object, allowed: str, fix: str, level: Level = Level.ERROR) -> Finding:
    """A finding about ``value``, which is shown as Python would write it. Each part is put on one line."""
    return finding_in_words(rule_id, field, shown(value), allowed, fix, level)


def finding_in_words(rule_id: str, field: str, got: str, allowed: str, fix: str, level: Level = Level.ERROR) -> Finding:
    """A finding whose ``got`` is told in words. Each part is put on one line, and cut where it is very long."""
    return Finding(rule_id, level, _one_line(field), _one_line(got), _one_line(allowed), _one_line(fix))


def members(value: object) -> tuple[object, ...] | None:
    """The members of a tuple or list; None for anything else, such as one text where a list belongs."""
    return tuple(value) if isinstance(value, tuple | list) else None


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_PART else line[: _LONGEST_PART - 1] + "…"
