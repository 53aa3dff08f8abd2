"""Estimating what lies below a prefix from a few thousand pages, where listing all would take minutes.

What fits into the first pages is simply listed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from typing import Final, Protocol

from headrace.aws.connection import AccessDenied, AwsError, Connection
from headrace.aws.listing import Listing
from headrace.dataset.key_ranges import KeyRange
from headrace.dataset.pages import ListedPage, Page, parse_page
from headrace.dataset.profile import Profile, SampleError, Where
from headrace.dataset.sampling import MORE_WALKS, MOST_RESTS, Part, Rest, Sampler, Sums, interval, walks_for
from headrace.dataset.summary import profile_of
from headrace.dataset.weighted import WeightedCounts
from headrace.profiling.looking import first_bytes_in_s3, with_contents
from headrace.profiling.order import require_order
from headrace.profiling.taking import Told, bucket_region, no_rights, now, profile_s3, require_files
from headrace.sources import S3Location

PAGE_KEYS: Final = 100
"""Of a page ten times as long, ten times as much would be read to learn as little."""
LISTED_BELOW: Final = 5_000_000
"""Objects that are listed about as quickly as estimated: an estimate takes some ten to thirty seconds."""
_FEW_RESTS: Final = 4
"""Of so many, guesses tell whether far less than that is there."""
_WALKS_AT_ONCE: Final = 16
_MOST_ROUNDS: Final = 20
_NOTES: Final = (
    "an estimate: sizes, formats and classes are those of the sample, times what it stands for; what is rare may be "
    "missing, and the smallest and largest file are those that were seen",
    "folders, and objects that are also a folder, are counted only when all is listed",
)


def profile_sampled(
    connection: Connection, location: S3Location, told: Told, *, looks: bool = True, seed: int | None = None
) -> Profile:
    """Estimate what lies below a prefix. ``seed``: of the lots that are drawn. Raises InvalidInput as profile_s3."""
    region = bucket_region(connection, location)
    stopped = threading.Event()
    pages = Listing(connection, location.bucket, location.prefix, region, pause=stopped.wait)
    sampling = _Sampling(pages, stopped, location.prefix, Random(seed), told)  # noqa: S311  (no secret)
    try:
        sums = sampling.run()
    except AccessDenied as error:
        raise no_rights(location, error) from None
    if sums is None:
        return profile_s3(connection, location, told, looks=looks)
    counts = sampling.weighted.counts()
    require_files(counts.files, location)
    profile = profile_of(counts, None, location.uri, Where.S3)
    profile = replace(profile, region=region, taken=now(), sample_error=sums, notes=(*profile.notes, *_NOTES))
    if not looks:
        return profile
    return with_contents(profile, counts.examples, first_bytes_in_s3(connection, location.bucket, region))


class SmallPages(Protocol):
    """Where pages of a chosen size come from: :class:`headrace.aws.listing.Listing`."""

    def page(self, after: str | None = None, token: str | None = None, most: int = ...) -> bytes:
        """The page of at most so many keys after a key, or that a token stands for."""


class _Sampling:
    def __init__(self, pages: SmallPages, stopped: threading.Event, prefix: str, draw: Random, told: Told) -> None:
        self.weighted = WeightedCounts(prefix.encode())
        self._pages = pages
        self._stopped = stopped
        self._draw = draw
        self._told = told
        self._sampler = Sampler(prefix, self._fetch)
        # of its own: who waits for a thread of the pool that it runs in may wait for ever
        self._others = ThreadPoolExecutor(_WALKS_AT_ONCE)
        self._walks = self._walked = 0
        self._exact = Sums()
        self._counting = threading.Lock()

    def run(self) -> SampleError | None:
        """The estimate; None where so little lies there that it is listed as quickly."""
        with ThreadPoolExecutor(_WALKS_AT_ONCE) as threads, self._others:
            try:
                return self._estimated(threads)
            finally:
                # who presses Ctrl-C does not wait for walks to their end
                self._stopped.set()
                for each in (threads, self._others):
                    each.shutdown(wait=False, cancel_futures=True)

    def _estimated(self, threads: ThreadPoolExecutor) -> SampleError | None:
        rests = self._divided(threads)
        if self._exact.files + sum(each.guess for each in rests) < LISTED_BELOW:
            return None
        counts = walks_for(rests, MORE_WALKS)
        self._walks = sum(counts)
        jobs = [
            (rest, count, _lots(self._draw)) for rest, count in zip(rests, counts, strict=True) for _ in range(count)
        ]
        sums = iter(list(threads.map(lambda each: self._walk(*each), jobs)))
        walked = [[next(sums) for _ in range(count)] for count in counts]
        least = self._exact
        files = interval(least.files, [[each.files for each in some] for some in walked], least.files)
        sizes = interval(least.size_bytes, [[each.size_bytes for each in some] for some in walked], least.size_bytes)
        return SampleError(
            listed=self.weighted.seen.files,
            files_low=int(files.low),
            files_high=-int(-files.high // 1),
            size_bytes_low=int(sizes.low),
            size_bytes_high=-int(-sizes.high // 1),
        )

    def _divided(self, threads: ThreadPoolExecutor) -> list[Rest]:
        """Cut what seems to hold most, until there are enough rests, or little seems to be there."""
        first = self._sampler.first(self._see_exactly)
        rests = [] if first is None else [first]
        for _ in range(_MOST_ROUNDS):
            guess = self._exact.files + sum(each.guess for each in rests)
            if not rests or len(rests) >= MOST_RESTS or (len(rests) >= _FEW_RESTS and guess < LISTED_BELOW / 4):
                break
            rests.sort(key=lambda each: each.guess)
            worthwhile = sum(each.guess for each in rests) / (2 * len(rests))
            kept = min(len(rests) // 2, sum(each.guess < worthwhile for each in rests))
            rests, largest = rests[:kept], rests[kept:]
            halves = [half for some in threads.map(self._cut, largest) for half in some]
            lots = [_lots(self._draw) for _ in halves]
            rests += threads.map(self._sampler.guessed, halves, lots)
        return rests

    def _cut(self, rest: Rest) -> list[Rest]:
        return self._sampler.cut(rest, self._see_exactly)

    def _walk(self, rest: Rest, count: int, draw: Random) -> Sums:
        """One of ``count`` walks: its pages are counted for their share."""

        def see(page: Page, times: float) -> None:
            with self._counting:
                self.weighted.add(page, times / count)

        sums = self._sampler.walk(rest, draw, see)
        with self._counting:
            self._walked += 1
        return sums

    def _see_exactly(self, page: Page, times: float) -> None:
        with self._counting:
            self.weighted.add(page, times)
            self._exact.add(page, times)

    def _fetch(self, ranges: Sequence[KeyRange]) -> list[Part]:
        """The first pages of ranges, side by side: a walk waits half as long."""
        own, *others = ranges
        waiting = [self._others.submit(self._part, each) for each in others]
        return [self._part(own), *(each.result() for each in waiting)]

    def _part(self, keys: KeyRange) -> Part:
        """The first page of a range that holds a key, or that is the last one."""
        listed = self._parsed(self._pages.page(keys.after, most=PAGE_KEYS))
        while not len(listed.page) and listed.next_token is not None:
            listed = self._parsed(self._pages.page(token=listed.next_token, most=PAGE_KEYS))
        require_order(listed.page, None if keys.after is None else keys.after.encode())
        inside = listed.page.up_to(None if keys.until is None else keys.until.encode())
        seen, walked = self.weighted.seen.files, self._walked
        self._told(seen, seen * (self._walks - walked) / walked if walked else 0.0)
        return Part(inside, listed.next_token is None or len(inside) < len(listed.page))

    def _parsed(self, body: bytes) -> ListedPage:
        if self._stopped.is_set():
            raise AwsError("the estimate was stopped")
        with self._counting:
            return parse_page(body)


def _lots(draw: Random) -> Random:
    # of its own for each walk, so that a seed means the same however threads take turns
    return Random(draw.random())  # noqa: S311  (no secret)
