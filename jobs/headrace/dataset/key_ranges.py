"""Ranges of keys, and where to cut one so that several streams list it side by side.

A range holds the keys after one and up to another, so ranges that touch share no key and miss none, wherever they are
cut. A cut is only a guess of where the middle is: a wrong one costs a page that is thrown away, never a key. Guesses
read keys as numbers: each place counts in the digits, or the letters, that were seen there. Where a range has no end
yet, the ends of folders are guesses, too: what follows a long common beginning is else found letter by letter.

Text is compared by its code points, which is the order of the bytes of its UTF-8, and that of S3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

_PLACES: Final = 12
_KNOWN_PLACES: Final = 256
_AFTER_SLASH: Final = chr(ord("/") + 1)
_FAMILIES: Final = (digits, "abcdef", ascii_lowercase, ascii_uppercase)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRange:
    """The keys ``after < key <= until``; None is no bound."""

    after: str | None = None
    until: str | None = None

    def cut(self, points: list[str]) -> list[KeyRange]:
        """The parts between the points, which must rise and lie inside."""
        bounds = [self.after, *points, self.until]
        return [KeyRange(after=after, until=until) for after, until in pairwise(bounds)]


class KeyScale:
    """Keys below a prefix as numbers. What it was shown of them decides what a place counts in."""

    def __init__(self, prefix: str) -> None:
        """A scale that has seen no key."""
        self._prefix = prefix
        self._letters: list[str] = []

    def see(self, key: str) -> None:
        """Learn which letters stand where; with one of a family, such as the digits, all of it may come."""
        for place, letter in enumerate(key[len(self._prefix) : len(self._prefix) + _KNOWN_PLACES]):
            if place == len(self._letters):
                self._letters.append("")
            if letter not in self._letters[place]:
                family = next((each for each in _FAMILIES if letter in each), letter)
                self._letters[place] = "".join(sorted({*self._letters[place], *family}))

    def points(self, after: str, until: str | None, count: int) -> list[str]:
        """Up to ``count`` points between the two, in their order."""
        # where both bounds are known, what lies between them says more than the folders of one
        ends = _folder_ends(after, self._prefix)[: count // 2] if until is None else []
        found = set(ends)
        guesses, extra = divmod(count - len(ends), len(ends) + 1)
        lows, highs = [after, *ends], [*ends, until]
        for number, (low, high) in enumerate(zip(lows, highs, strict=True)):
            found.update(self._between(low, high, guesses + (number >= len(lows) - extra)))
        return sorted(each for each in found if after < each and (until is None or each < until))

    def share_done(self, after: str | None, now: str, until: str | None) -> float:
        """About which share of the range lies before ``now``, 0 to 1."""
        low = self._prefix if after is None else after
        common = self._common(low, until)
        first, last = self._number(low, common), self._number(until, common)
        return min(1.0, max(0.0, (self._number(now, common) - first) / max(1, last - first)))

    def _between(self, low: str, high: str | None, count: int) -> Iterator[str]:
        common = self._common(low, high)
        first, last = self._number(low, common), self._number(high, common)
        for number in range(1, count + 1):
            yield low[:common] + self._text(first + (last - first) * number // (count + 1), common)

    def _common(self, low: str, high: str | None) -> int:
        return len(self._prefix) if high is None else _common_length(low, high)

    def _letters_at(self, start: int) -> list[str]:
        """What the places from ``start`` on count in; a place that nobody saw in digits."""
        first = max(0, start - len(self._prefix))
        seen = self._letters[first : first + _PLACES]
        return [*seen, *[digits] * (_PLACES - len(seen))]

    def _number(self, text: str | None, start: int) -> int:
        number = 0
        for place, letters in enumerate(self._letters_at(start)):
            base = len(letters) + 1
            if text is None:
                digit = base if not place else 0
            else:
                letter = text[start + place : start + place + 1]
                # what is none of the letters counts as the one before it
                digit = bisect_right(letters, letter) if letter else 0
            number = number * base + digit
        return number

    def _text(self, number: int, start: int) -> str:
        found = []
        for letters in reversed(self._letters_at(start)):
            number, digit = divmod(number, len(letters) + 1)
            found.append(letters[digit - 1] if digit else "")
        found.reverse()
        return "".join(found[: found.index("")] if "" in found else found)


def _common_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _folder_ends(key: str, prefix: str) -> list[str]:
    """For each folder of the key below the prefix the first text after all that is in it, the deepest first."""
    places = [number for number in range(len(prefix), len(key)) if key[number] == "/"]
    return [key[:number] + _AFTER_SLASH for number in reversed(places)]
