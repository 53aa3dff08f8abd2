"""Whether the objects of a manifest are in S3, and in the job's Region.

A bucket is listed once below what its keys have in common, which is 80 times as cheap as asking for each: a LIST
of 1,000 keys costs 0.005 $ per 1,000 requests, a HEAD 0.0004 $ (Amazon S3 pricing, us-east-1, 2026). Where a
manifest names few of very many objects the listing stops at that ratio, and each object is asked for instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, Protocol

from headrace.manifests.notes import Notes
from headrace.manifests.references import Batch, NumberedHashes, References
from headrace.rules.manifest_mistakes import Mistake

LISTED_PER_ASKED: Final = 80

_PAGE_KEYS: Final = 1000
_THREADS: Final = 16

Progress = Callable[[str, int], None]
"""Told what is being done, and how many are done."""


class ObjectStore(Protocol):
    """What is asked of S3."""

    def bucket_region(self, bucket: str, /) -> str | None:
        """The bucket's Region; None when there is no such bucket."""

    def list_keys(self, bucket: str, prefix: str, region: str, /) -> Iterator[str]:
        """All keys that begin with the prefix."""

    def object_exists(self, bucket: str, key: str, region: str, /) -> bool:
        """Whether there is an object of this key."""


def regions_of(buckets: Iterable[str], store: ObjectStore, region: str, notes: Notes) -> dict[str, str]:
    """The Regions of the buckets that exist; those that do not, and those in another Region, are noted."""
    found: dict[str, str] = {}
    for bucket in buckets:
        actual = store.bucket_region(bucket)
        if actual is None:
            notes.add(Mistake.MISSING_BUCKET, value=bucket)
            continue
        found[bucket] = actual
        if actual != region:
            notes.add(Mistake.OTHER_REGION, value=f"{bucket} in {actual}, the job in {region}")
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """A search in S3 for what a manifest refers to, in the buckets that exist, whose Regions are known.

    ``read_again`` gives the references anew.
    """

    references: References
    regions: Mapping[str, str]
    read_again: Callable[[], Iterator[Batch]]
    store: ObjectStore
    progress: Progress

    def note_missing(self, notes: Notes) -> tuple[int, ...]:
        """Note the objects that do not exist; the numbers of the first ones."""
        with closing(NumberedHashes()) as found:
            to_ask = {bucket for bucket in self.regions if not self._list(bucket, found)}
            if to_ask:
                self._ask(to_ask, found)
            self._take_for_found(self.references.extents.keys() - self.regions.keys(), found)
            return notes.add_numbers(Mistake.MISSING_OBJECT, self.references.hashes.missing_from(found))

    def _list(self, bucket: str, found: NumberedHashes) -> bool:
        """List the bucket; whether the listing came to its end."""
        extent = self.references.extents[bucket]
        most = max(_PAGE_KEYS, LISTED_PER_ASKED * extent.count)
        keys = self.store.list_keys(bucket, extent.common_prefix, self.regions[bucket])
        listed = 0
        while some := list(islice(keys, min(_PAGE_KEYS, most - listed))):
            found.add(bucket, some, [0] * len(some))
            listed += len(some)
            self.progress(f"objects listed in {bucket}", listed)
        return listed < most or next(keys, None) is None

    def _ask(self, buckets: Set[str], found: NumberedHashes) -> None:
        asked = 0
        with ThreadPoolExecutor(_THREADS) as threads:
            for batch in (each for each in self.read_again() if each.bucket in buckets):
                exists = partial(self._exists, batch.bucket)
                for at in range(0, len(batch.keys), _PAGE_KEYS):
                    keys = batch.keys[at : at + _PAGE_KEYS]
                    there = [key for key, is_there in zip(keys, threads.map(exists, keys), strict=True) if is_there]
                    found.add(batch.bucket, there, [0] * len(there))
                    asked += len(keys)
                    self.progress(f"objects asked for in {batch.bucket}", asked)

    def _exists(self, bucket: str, key: str) -> bool:
        return self.store.object_exists(bucket, key, self.regions[bucket])

    def _take_for_found(self, buckets: Set[str], found: NumberedHashes) -> None:
        # a bucket that does not exist is one mistake, not one for each of its objects
        if buckets:
            for batch in (each for each in self.read_again() if each.bucket in buckets):
                found.add(batch.bucket, batch.keys, batch.numbers)
