"""Mistakes of what a manifest is made from: all reported together, the first ones in words."""

from __future__ import annotations

from typing import Final

from headrace.errors import InvalidInput
from headrace.manifests.keys import mistakes_of_key
from headrace.rules import Level
from headrace.rules.manifest_mistakes import KINDS
from headrace.rules.values import shown

MAX_PROBLEMS: Final = 20


class Problems:
    """Lines for an InvalidInput; beyond :data:`MAX_PROBLEMS` they are only counted."""

    def __init__(self) -> None:
        """None so far."""
        self._lines: list[str] = []
        self._count = 0

    def add(self, line: str) -> None:
        """Take in one: field, value, rule and fix."""
        self._count += 1
        if self._count <= MAX_PROBLEMS:
            self._lines.append(line)

    def add_of_key(self, field: str, number: int, key: str, written: str) -> None:
        """Take in what a check would find an ERROR in the key, which is ``written`` so in this numbered ``field``."""
        for mistake in mistakes_of_key(key):
            kind = KINDS[mistake]
            if kind.level is Level.ERROR:
                self.add(f"{field} {number} is {shown(written)}, {kind.what}; allowed: {kind.allowed}; fix: {kind.fix}")

    def raise_all(self) -> None:
        """Raise InvalidInput if there are any."""
        if self._count > MAX_PROBLEMS:
            raise InvalidInput(*self._lines, f"and {self._count - MAX_PROBLEMS:,} more such mistakes")
        if self._lines:
            raise InvalidInput(*self._lines)
