"""Stretches of a listing: what of it depends on the order of the keys, so that parts join to exactly the whole.

All keys of a folder lie side by side in the order of their bytes. So a folder can be counted once it is over, and only
those stay open that the first or the last key of the stretch lies in: a neighbour may hold more of them.

A file that is also the folder of others (``a`` and ``a/b``) may be far before them (``a``, ``a-b``, ``a/b``), but all
keys between begin with it. So a stretch remembers those of its files that its last key begins with, and of its own
first key every beginning that an earlier file could be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from headrace.dataset.pages import Integers, Page

MAX_EXAMPLES = 3
_SLASH = ord("/")


class Stretch:
    """Files side by side in the order of their keys: their folders, and which of them are also a folder.

    ``folders`` and ``most_files`` are of the folders that are over. Add pages in the order of their keys.
    """

    def __init__(self) -> None:
        """A stretch without a file."""
        self.first: bytes | None = None
        self.last = b""
        self.folders = 0
        self.most_files = 0
        self.clashes = 0
        self.examples: list[bytes] = []
        self._open: dict[bytes, int] = {}
        self._candidates: set[bytes] = set()
        self._asked: set[bytes] = set()
        self._answered: set[bytes] = set()

    def add(self, files: Page, folder_stops: Integers) -> None:
        """Add a page of files. ``folder_stops``: where the folder of each ends in the page's text, with its slash."""
        if not len(files):
            return
        if self.first is None:
            self.first = files.key(0)
            self._asked = {self.first[:stop] for stop in range(1, len(self.first)) if self.first[stop] < _SLASH}
        self._find_clashes(files)
        for folder, count in _folders(files, folder_stops):
            self._open[folder] = self._open.get(folder, 0) + count
        self.last = files.key(-1)
        self._close()

    def join(self, later: Stretch) -> None:
        """Add the stretch that follows; it must not be used afterwards."""
        if later.first is None:
            return
        if self.first is None:
            self.__dict__ = later.__dict__
            return
        self.folders += later.folders
        self.most_files = max(self.most_files, later.most_files)
        for folder, count in later._open.items():
            self._open[folder] = self._open.get(folder, 0) + count
        self._join_clashes(later, later.first)
        self.last = later.last
        self._close()

    def totals(self) -> tuple[int, int]:
        """Folders that hold files themselves, and the most files that one of them holds."""
        return self.folders + len(self._open), max([self.most_files, *self._open.values()])

    def _close(self) -> None:
        first = self.first or b""
        # a folder is over when neither end of the stretch lies in it
        over = [each for each in self._open if not (self.last.startswith(each) or first.startswith(each))]
        for folder in over:
            self.most_files = max(self.most_files, self._open.pop(folder))
        self.folders += len(over)

    def _find_clashes(self, files: Page) -> None:
        self._asked, found = self._looked_up(self._asked, files, 0)
        self._answered |= found
        self._candidates, found = self._looked_up(self._candidates, files, 0)
        self._count(found)
        for number in _beginnings(files):
            still, found = self._looked_up((files.key(number),), files, number)
            self._candidates |= still
            self._count(found)
        self._candidates.add(files.key(-1))

    @staticmethod
    def _looked_up(keys: Iterable[bytes], files: Page, number: int) -> tuple[set[bytes], set[bytes]]:
        """Of the keys: those whose folder may still come after this page, and those whose folder is in it."""
        still, found, last = set(), set(), files.key(-1)
        for key in keys:
            folder = key + b"/"
            place = bisect_left(files, folder, lo=number)
            if place < len(files) and files.key(place).startswith(folder):
                found.add(key)
            elif last.startswith(key) and last < folder:
                still.add(key)
        return still, found

    def _join_clashes(self, later: Stretch, first: bytes) -> None:
        def is_there(key: bytes) -> bool:
            return key in later._answered or first.startswith(key + b"/")

        def may_come(key: bytes) -> bool:
            return later.last.startswith(key) and later.last < key + b"/"

        self._count({each for each in self._candidates if is_there(each)})
        self._candidates = {each for each in self._candidates if not is_there(each) and may_come(each)}
        self._candidates |= later._candidates
        self._answered |= {each for each in self._asked if is_there(each)}
        self._asked = {each for each in self._asked if not is_there(each) and may_come(each)}
        self.clashes += later.clashes
        self.examples = sorted({*self.examples, *later.examples})[:MAX_EXAMPLES]

    def _count(self, found: set[bytes]) -> None:
        if found:
            self.clashes += len(found)
            self.examples = sorted({*self.examples, *found})[:MAX_EXAMPLES]


def joined(stretches: Iterable[Stretch]) -> Stretch:
    """One stretch of many that lie beside each other, in whatever order they come."""
    whole = Stretch()
    for each in sorted((each for each in stretches if each.first is not None), key=lambda each: each.first or b""):
        whole.join(each)
    return whole


def _beginnings(files: Page) -> Iterator[int]:
    """The files whose whole key the next key begins with."""
    lengths = files.stops - files.starts
    ends = files.text[np.minimum(files.starts[1:] + lengths[:-1], len(files.text)) - 1]
    # one letter that agrees is rare enough to look at the rest in Python
    agree = (lengths[1:] > lengths[:-1]) & (ends == files.text[files.stops[:-1] - 1])
    for number in np.flatnonzero(agree).tolist():
        if files.key(number + 1).startswith(files.key(number)):
            yield number


def _folders(files: Page, folder_stops: Integers) -> Iterator[tuple[bytes, int]]:
    """The folders of the files in their order, and how many files in a row are in each."""
    lengths = folder_stops - files.starts
    borders = [0, *(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(files)]
    # the smallest places last, so that they are popped first
    blocks = list(pairwise(borders))[::-1]
    while blocks:
        start, stop = blocks.pop()
        folder = files.key(start)[: lengths[start]]
        # between two keys of one folder all keys begin with it, and none is deeper, since the lengths agree
        if files.key(stop - 1)[: lengths[start]] == folder:
            yield folder, stop - start
        else:
            middle = (start + stop) // 2
            blocks += [(middle, stop), (start, middle)]
