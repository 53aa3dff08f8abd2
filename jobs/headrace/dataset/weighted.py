"""Counts of a sample: each page stands for many, and what they come to is rounded so that it fits together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headrace.dataset.counts import FINE_PER_DOUBLING, MAX_EXAMPLES, Counts
from headrace.dataset.pages import Page

Table = dict[str, tuple[float, float]]


class WeightedCounts:
    """Sums of counts, each times what it stands for."""

    def __init__(self, prefix: bytes) -> None:
        """Nothing was counted."""
        self.seen = Counts(prefix)
        self._fine = np.zeros(self.seen.fine.shape)
        self._bucket_bytes = np.zeros(self.seen.bucket_bytes.shape)
        self._suffixes: Table = {}
        self._classes: Table = {}
        self._broken: dict[tuple[str, str], float] = {}
        self._markers = 0.0
        self._depth_sum = 0.0

    def add(self, page: Page, weight: float) -> None:
        """Count a page that stands for ``weight`` of them."""
        own = Counts(self.seen.prefix)
        own.add(page)
        self._fine += weight * own.fine
        self._bucket_bytes += weight * own.bucket_bytes
        _add(self._suffixes, own.suffixes, weight)
        _add(self._classes, own.classes, weight)
        for what, broken in own.broken.items():
            self._broken[what] = self._broken.get(what, 0.0) + weight * broken.files
        self._markers += weight * own.folder_markers
        self._depth_sum += weight * own.depth_sum
        self.seen.join(own)

    def counts(self, share: float = 1.0) -> Counts:
        """What the sums come to times ``share``, in whole files."""
        whole = Counts(self.seen.prefix)
        whole.fine = np.rint(self._fine * share).astype(np.int64)
        files = whole.fine.reshape(-1, FINE_PER_DOUBLING).sum(axis=1).tolist()
        for length, count in enumerate(files):
            low, high = (1 << (length - 1) if length else 0), (1 << length) - 1
            size_bytes = round(float(self._bucket_bytes[length]) * share)
            # rounded files can hold no more and no less than their sizes allow
            whole.bucket_bytes[length] = min(max(size_bytes, count * low), count * high)
        whole.size_bytes = int(whole.bucket_bytes.sum())
        whole.smallest_bytes, whole.largest_bytes = self.seen.smallest_bytes, self.seen.largest_bytes
        whole.suffixes, whole.classes = _rounded(self._suffixes, share), _rounded(self._classes, share)
        for what, broken in self.seen.broken.items():
            whole.broken[what] = broken
            broken.files = max(broken.files, round(self._broken[what] * share))
        whole.folder_markers = round(self._markers * share)
        whole.depth_sum, whole.depth_most = round(self._depth_sum * share), self.seen.depth_most
        whole.examples = {suffix: keys[:MAX_EXAMPLES] for suffix, keys in self.seen.examples.items()}
        return whole


def _add(table: Table, own: Mapping[str, tuple[int, int]], weight: float) -> None:
    for name, (files, size_bytes) in own.items():
        counted_files, counted_bytes = table.get(name, (0.0, 0.0))
        table[name] = (counted_files + weight * files, counted_bytes + weight * size_bytes)


def _rounded(table: Table, share: float) -> dict[str, tuple[int, int]]:
    scaled = {name: (round(files * share), round(size_bytes * share)) for name, (files, size_bytes) in table.items()}
    return {name: each for name, each in scaled.items() if each[0]}
