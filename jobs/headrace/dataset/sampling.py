"""Estimating a listing from some of its pages, and how far the estimate may be off.

The keys are divided first: the range that seems to hold most is cut in two, again and again, until there are some
dozens. What was listed by then counts as it is. Of what is left of each range, a few walks estimate the number of keys:
a walk cuts its range, counts the first page of both halves, and goes on in one of them, drawn by lot, counting what
follows by one over the chance that it was drawn. So each walk's sum is right on average, whatever the keys are and
however wrong the guesses of where to cut; they decide only how far the walks differ. The walks that divided the
ranges are not those that estimate, for a range that was underestimated would be left as it is.

Few walks that differ much see too little of how much they differ. So the interval is that of 95 %, and three tenths
wider; with this made-up key sets of many shapes lie inside it in nine of ten samples, and those of the shape that
misleads most, few large folders among many small ones, in four of five (``tests/test_dataset_sampling.py``).

Sources: Knuth, "Estimating the efficiency of backtrack programs", 1975 (walks); Cochran, "Sampling Techniques", 5.4
(strata and their degrees of freedom).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import NormalDist, fmean, variance
from typing import Final

from headrace.dataset.key_ranges import KeyRange, KeyScale
from headrace.dataset.pages import Page

CONFIDENCE: Final = 0.95
LEAST_WALKS: Final = 5
MOST_RESTS: Final = 16
MORE_WALKS: Final = 48
_WIDER: Final = 1.3
_LEAST_CHANCE: Final = 0.2
_END_LETTERS: Final = 3
_LAST_LETTER: Final = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Part:
    """The first page of a range. ``last``: its last key; ``is_all``: the range holds no more."""

    page: Page
    is_all: bool

    @property
    def last(self) -> str:
        """The last key of the page."""
        return self.page.key(-1).decode()


Fetch = Callable[[Sequence[KeyRange]], Sequence[Part]]
"""Gets the first pages of some ranges, at once where it can."""
See = Callable[[Page, float], None]
"""Told a page, and how many pages it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A range whose first page was counted: what follows it. ``guess``: about how many keys that are."""

    keys: KeyRange
    guess: float


@dataclass(slots=True)
class Sums:
    """Files and bytes that a walk counted, by what they stand for."""

    files: float = 0.0
    size_bytes: float = 0.0

    def add(self, page: Page, weight: float) -> None:
        """Count a page."""
        self.files += weight * int((~page.markers()).sum())
        self.size_bytes += weight * float(page.sizes.sum())


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and what holds the truth in nine of ten samples."""

    estimate: float
    low: float
    high: float


@dataclass(slots=True)
class Sampler:
    """Cuts and walks. ``fetch`` gets pages; the scale learns from them where to cut. Threads may share it."""

    prefix: str
    fetch: Fetch
    scale: KeyScale = field(init=False)

    def __post_init__(self) -> None:
        self.scale = KeyScale(self.prefix)

    def first(self, see: See) -> Rest | None:
        """Count the first page of all; what follows it, up to the end of the keys, which is looked for."""
        rests = self._counted([KeyRange()], see)
        if not rests:
            return None
        (rest,) = rests
        return Rest(keys=KeyRange(after=rest.keys.after, until=self._end()), guess=rest.guess)

    def _end(self) -> str | None:
        """What no key comes after: its first letters, each found by halving."""
        stem, end = self.prefix, None
        for _ in range(_END_LETTERS):
            low, high = 0, _LAST_LETTER
            letter = ord("~")
            while low < high:
                (part,) = self.fetch([KeyRange(after=stem + _letter(letter))])
                if len(part.page):
                    key = part.page.key(0).decode()
                    self.scale.see(key)
                    low = max(letter + 1, ord(key[len(stem)])) if key.startswith(stem) else _LAST_LETTER
                else:
                    high = letter
                letter = (low + high) // 2
            if high == _LAST_LETTER:
                break
            end = stem + _letter(high)
            stem += _letter(max(0, high - 1))
        return end

    def cut(self, rest: Rest, see: See) -> list[Rest]:
        """Count the first pages of both halves of a rest; what follows them."""
        points = self.scale.points(rest.keys.after or "", rest.keys.until, 1)
        return self._counted(rest.keys.cut(points), see)

    def guessed(self, rest: Rest, draw: Random) -> Rest:
        """The rest with a guess that a walk made, which sees what lies far behind a gap."""
        found = self.walk(rest, draw, lambda _page, _times: None).files
        return Rest(keys=rest.keys, guess=max(found, 1.0))

    def walk(self, rest: Rest, draw: Random, see: See) -> Sums:
        """Estimate what a rest holds, by one walk."""
        sums, weight = Sums(), 1.0

        def count(page: Page, times: float) -> None:
            sums.add(page, times * weight)
            see(page, times * weight)

        while True:
            halves = self.cut(rest, count)
            if not halves:
                return sums
            rest = halves[0]
            if len(halves) == 2:
                share = halves[0].guess / max(1.0, halves[0].guess + halves[1].guess)
                # whatever the guesses say: what is drawn seldom stands for much, and throws the estimate far off
                chance = min(1 - _LEAST_CHANCE, max(_LEAST_CHANCE, share))
                is_first = draw.random() < chance
                rest = halves[0] if is_first else halves[1]
                weight /= chance if is_first else 1 - chance

    def _counted(self, ranges: Sequence[KeyRange], see: See) -> list[Rest]:
        """Count the first pages of ranges; what follows them, of those that hold more."""
        parts = self.fetch(ranges)
        for part in parts:
            if len(part.page):
                self.scale.see(part.page.key(0).decode())
                self.scale.see(part.last)
                see(part.page, 1.0)
        return [
            Rest(keys=KeyRange(after=part.last, until=keys.until), guess=self._guess(part, keys.until))
            for keys, part in zip(ranges, parts, strict=True)
            if not part.is_all
        ]

    def _guess(self, part: Part, until: str | None) -> float:
        done = self.scale.share_done(part.page.key(0).decode(), part.last, until)
        return min(len(part.page) * (1 - done) / done if done else math.inf, 1e15)


def _letter(code: int) -> str:
    # surrogates are no letters, and no UTF-8 has them
    return chr(0xE000 if 0xD800 <= code < 0xE000 else code)


def walks_for(rests: Sequence[Rest], more: int) -> list[int]:
    """How many walks each rest gets: a few at least, and of ``more`` the share of its guess, evened out."""
    roots = [math.sqrt(each.guess) for each in rests]
    total = sum(roots) or 1.0
    return [LEAST_WALKS + round(more * each / total) for each in roots]


def interval(exact: float, walks: Iterable[Sequence[float]], least: float) -> Interval:
    """The estimate of what was counted exactly and of the walks of each rest; it is no less than ``least``."""
    means, variances, squares = exact, 0.0, 0.0
    for values in walks:
        means += fmean(values)
        own = variance(values) / len(values)
        variances += own
        squares += own * own / (len(values) - 1)
    if not variances:
        return Interval(means, max(least, means), means)
    reach = _WIDER * _t_quantile((1 + CONFIDENCE) / 2, variances * variances / squares) * math.sqrt(variances)
    return Interval(means, max(least, means - reach), means + reach)


def _t_quantile(share: float, freedom: float) -> float:
    """Of Student's distribution, by its expansion at infinity; Abramowitz and Stegun, 26.7.5."""
    z = NormalDist().inv_cdf(share)
    freedom = max(2.0, freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))
