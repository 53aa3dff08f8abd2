"""What a check writes down while it reads: counts without end, places only so many."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from headrace.rules.manifest_mistakes import KINDS, Mistake, Place, Tally

MAX_PLACES: Final = 20


class Notes:
    """Mistakes by kind: how many there are, and the first :data:`MAX_PLACES` of each. Memory does not grow further."""

    def __init__(self) -> None:
        """No mistakes so far."""
        self._totals: dict[Mistake, int] = {}
        self._places: dict[Mistake, list[Place]] = {}

    def add(
        self, mistake: Mistake, number: int | None = None, value: str | None = None, byte: int | None = None
    ) -> None:
        """Note one mistake; places must come in the order of the file."""
        self._totals[mistake] = self._totals.get(mistake, 0) + 1
        if not self.is_full(mistake):
            self._places.setdefault(mistake, []).append(Place(number=number, byte=byte, value=value))

    def add_numbers(self, mistake: Mistake, numbers: Iterable[int]) -> tuple[int, ...]:
        """Note mistakes whose numbers come in any order; the first of them, whose values are still unknown."""
        total = 0

        def counted() -> Iterable[int]:
            nonlocal total
            for total, number in enumerate(numbers, 1):  # noqa: B007  (read by the enclosing function)
                yield number

        first = tuple(heapq.nsmallest(MAX_PLACES, counted()))
        if first:
            self._totals[mistake] = total
            self._places[mistake] = [Place(number=number) for number in first]
        return first

    def name_values(self, mistake: Mistake, values: dict[int, str]) -> None:
        """Put values to the places that :meth:`add_numbers` noted, by their numbers."""
        self._places[mistake] = [
            each if each.number is None else Place(number=each.number, value=values.get(each.number))
            for each in self._places.get(mistake, [])
        ]

    def is_full(self, mistake: Mistake) -> bool:
        """Whether further places of this kind are only counted."""
        return len(self._places.get(mistake, ())) >= MAX_PLACES

    def tallies(self) -> tuple[Tally, ...]:
        """What was noted, in the order of the table of mistakes."""
        return tuple(
            Tally(mistake, self._totals[mistake], tuple(self._places[mistake]))
            for mistake in KINDS
            if mistake in self._totals
        )
