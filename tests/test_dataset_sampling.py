"""Estimates of a listing: right on average, and the interval holds the truth as often as the guide says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
from headrace.dataset.counts import Counts
from headrace.dataset.key_ranges import KeyRange
from headrace.dataset.pages import Page, page_of
from headrace.dataset.sampling import Interval, Part, Rest, Sampler, Sums, interval, walks_for
from headrace.dataset.weighted import WeightedCounts

PAGE_KEYS = 10
SHAPES: dict[str, Callable[[Random], list[str]]] = {
    "flat": lambda _: [f"{number:09d}.jpg" for number in range(3000)],
    "nested": lambda _: [f"d/c{number // 100:04d}/{number:08d}.jpg" for number in range(3000)],
    "few large folders": lambda _: [
        f"c{folder * 7919 % 1000:03d}/{number:06d}.png" for folder in range(60) for number in range(900 // (folder + 1))
    ],
    "hexadecimal": lambda draw: [f"{draw.getrandbits(128):032x}" for _ in range(3000)],
    "one folder with nearly all": lambda _: [
        *(f"{chr(97 + number % 26)}/{number}" for number in range(200)),
        *(f"m/x/{number:07d}" for number in range(3000)),
    ],
    "words": lambda draw: ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz é", k=9)) for _ in range(3000)],
    "spikes": lambda draw: [f"{int(draw.paretovariate(0.3) * 1000) % 10**9:09d}-{each}" for each in range(3000)],
}
SEEDS = 12


def _lots(seed: int) -> Random:
    return Random(seed)  # noqa: S311  (no secret)


def _ignored(_page: Page, _times: float) -> None:
    pass


class _Listed:
    def __init__(self, keys: list[str], seed: int = 0) -> None:
        self.keys = sorted(set(keys))
        draw = _lots(seed)
        self.sizes = [int(draw.lognormvariate(8, 1)) for _ in self.keys]
        self.pages: dict[tuple[int, int], Page] = {}
        self.encoded = [each.encode() for each in self.keys]

    def fetch(self, ranges: Sequence[KeyRange]) -> list[Part]:
        """The first pages of ranges."""
        return [self._part(each) for each in ranges]

    def _part(self, keys: KeyRange) -> Part:
        start = 0 if keys.after is None else bisect_right(self.keys, keys.after)
        end = len(self.keys) if keys.until is None else bisect_right(self.keys, keys.until)
        place = start, min(start + PAGE_KEYS, max(start, end))
        if place not in self.pages:  # walks come by the same places again and again
            self.pages[place] = page_of(self.encoded[slice(*place)], self.sizes[slice(*place)])
        return Part(self.pages[place], end <= start + PAGE_KEYS)

    def divided(self, sampler: Sampler, draw: Random, see: Callable[[Page, float], None]) -> list[Rest]:
        """Cut what seems largest, as :mod:`headrace.profiling.sampled` does."""
        rests = [each for each in [sampler.first(see)] if each is not None]
        while rests and len(rests) < 16:
            rests.sort(key=lambda each: each.guess)
            rests += [sampler.guessed(each, draw) for each in sampler.cut(rests.pop(), see)]
        return rests

    def estimated(self, seed: int) -> tuple[Interval, Interval]:
        """Files and bytes."""
        draw, exact = _lots(seed), Sums()
        sampler = Sampler("", self.fetch)
        rests = self.divided(sampler, draw, exact.add)
        walked = [
            [sampler.walk(rest, draw, _ignored) for _ in range(count)]
            for rest, count in zip(rests, walks_for(rests, 24), strict=True)
        ]
        files = interval(exact.files, [[each.files for each in some] for some in walked], exact.files)
        sizes = interval(exact.size_bytes, [[each.size_bytes for each in some] for some in walked], exact.size_bytes)
        return files, sizes


def test_intervals_hold_the_truth() -> None:
    """In nine of ten samples at least on the whole, and in four of five of the shape that misleads guesses most."""
    held: dict[str, list[bool]] = {}
    for shape, make in SHAPES.items():
        listed = _Listed(make(_lots(7)))
        for seed in range(SEEDS):
            files, sizes = listed.estimated(seed)
            held.setdefault(shape, []).append(files.low <= len(listed.keys) <= files.high)
            held[shape].append(sizes.low <= sum(listed.sizes) <= sizes.high)
    assert np.mean([*held.values()]) >= 0.9
    assert {shape for shape, each in held.items() if np.mean(each) < 0.8} == set()


@pytest.mark.parametrize("shape", SHAPES)
def test_walks_are_right_on_average(shape: str) -> None:
    """Of many walks through one rest the mean is what the rest holds."""
    listed = _Listed(SHAPES[shape](_lots(7)))
    sampler, draw = Sampler("", listed.fetch), _lots(3)
    exact = Sums()
    rests = listed.divided(sampler, draw, exact.add)
    rest = max(rests, key=lambda each: each.guess)
    end = len(listed.keys) if rest.keys.until is None else bisect_right(listed.keys, rest.keys.until)
    held = end - bisect_right(listed.keys, rest.keys.after or "")
    values = [sampler.walk(rest, draw, _ignored).files for _ in range(150)]
    assert abs(np.mean(values) - held) <= 4 * np.std(values) / np.sqrt(len(values)) + 1e-9


def test_a_small_listing_is_counted_exactly() -> None:
    """Nothing is left to estimate."""
    files, _ = _Listed(["a", "b"]).estimated(1)
    assert files == Interval(2.0, 2.0, 2.0)


@pytest.mark.parametrize("last", ["zz", "é", "\U0010fffe", "~", "0"])
def test_the_end_of_the_keys_is_found(last: str) -> None:
    """No key comes after it, whatever letter the last one begins with."""
    listed = _Listed([*(f"0{number:04d}" for number in range(50)), last * 3])
    rest = Sampler("", listed.fetch).first(_ignored)
    assert rest is not None
    assert rest.keys.until is None or listed.keys[-1] <= rest.keys.until


def test_weighted_counts_fit_together() -> None:
    """Rounded files hold rounded bytes; a share of one counts as it is."""
    page = page_of([f"a{number}.jpg".encode() for number in range(20)], [1 << (number % 7) for number in range(20)])
    weighted, plain = WeightedCounts(b""), Counts(b"")
    weighted.add(page, 1.0)
    plain.add(page)
    whole = weighted.counts()
    assert (whole.files, whole.size_bytes, whole.suffixes) == (plain.files, plain.size_bytes, plain.suffixes)
    weighted.add(page, 0.3)
    whole = weighted.counts()
    for length, size_bytes in enumerate(whole.bucket_bytes.tolist()):
        files = int(whole.fine.reshape(-1, 64)[length].sum())
        assert files * ((1 << length) >> 1) <= size_bytes <= files * max(0, (1 << length) - 1)
