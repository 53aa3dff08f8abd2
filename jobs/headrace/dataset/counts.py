"""What is counted of a listing, in memory that does not grow with it; counts of parts add up to those of the whole.

Nothing is done in Python for each key but for the few that look as if no file system could take them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from headrace.dataset.pages import Integers, Page, grouped
from headrace.rules.location_paths import path_rule_broken
from headrace.rules.locations import is_archived_class
from headrace.rules.s3_names import MAX_FILE_NAME_BYTES

FINE_PER_DOUBLING: Final = 64
"""Classes of size between one power of two and the next: half of one is 0.8 % of the size."""
MAX_EXAMPLES: Final = 3
MOST_SUFFIXES: Final = 20_000
MOST_CLASSES: Final = 100
_MOST_EXAMPLE_SUFFIXES: Final = 1000
OTHERS: Final = "*"
"""In place of the suffixes, or storage classes, that are too many to be kept."""

_EXPONENTS: Final = 64
_FINE_BITS: Final = FINE_PER_DOUBLING.bit_length()
_MOST_SUFFIX_BYTES: Final = 16
_SUFFIX: Final = re.compile(rb"\.[a-z0-9_-]*[a-z][a-z0-9_-]*")
_COMPRESSED: Final = frozenset({b".gz", b".bz2", b".xz", b".zst", b".lz4"})
_SLASH, _DOT = ord("/"), ord(".")
_MAY_BE_CONTROL: Final = np.zeros(256, dtype=np.bool_)
# U+0085, U+2028 and U+2029 are C2 85, E2 80 A8 and E2 80 A9 as UTF-8
_MAY_BE_CONTROL[[*range(0x20), 0x7F, 0xC2, 0xE2]] = True
_NO_END_SLASH: Final = "no '/' at the beginning or the end of a key that holds data"
NOT_UTF_8: Final = "names in UTF-8, since no key of S3 is anything else"

PATH_RULE, ARCHIVE_RULE = "V53", "V27"


class Counts:
    """Counts of objects in any order. ``broken``: (rule, reason) -> the files that break it.

    ``examples``: suffix -> keys of a few of its files.
    """

    def __init__(self, prefix: bytes) -> None:
        """``prefix``: depth is counted from its end on."""
        self.prefix = prefix
        self.size_bytes = 0
        self.folder_markers = 0
        self.smallest_bytes: int | None = None
        self.largest_bytes = 0
        self.fine = np.zeros(_EXPONENTS * FINE_PER_DOUBLING, dtype=np.int64)
        self.bucket_bytes = np.zeros(_EXPONENTS, dtype=np.int64)
        self.suffixes: dict[str, tuple[int, int]] = {}
        self.examples: dict[str, list[bytes]] = {}
        self.classes: dict[str, tuple[int, int]] = {}
        self.broken: dict[tuple[str, str], Broken] = {}
        self.depth_sum = 0
        self.depth_most = 0

    @property
    def files(self) -> int:
        """How many files."""
        return int(self.fine.sum())

    def add(self, page: Page) -> tuple[Page, Integers]:
        """Count the objects of a page; its files, and where the folder of each ends."""
        files = self._without_markers(page)
        if not len(files):
            return files, files.starts
        self._add_sizes(files.sizes)
        shape = _Shape(files)
        depths = shape.slashes_in(files.starts + len(self.prefix), files.stops)
        self.depth_sum += int(depths.sum())
        self.depth_most = max(self.depth_most, int(depths.max()))
        for suffix, count, size_bytes, first in _suffixes(files, shape):
            _put(self.suffixes, suffix, count, size_bytes, MOST_SUFFIXES)
            self._see_example(suffix, files, first)
        if files.class_names:
            self._add_classes(files)
        for number in shape.doubtful().tolist():
            self._judge(files.key(number))
        return files, shape.folder_stops

    def join(self, other: Counts) -> None:
        """Add what another has counted."""
        self.size_bytes += other.size_bytes
        self.folder_markers += other.folder_markers
        sizes = [each for each in (self.smallest_bytes, other.smallest_bytes) if each is not None]
        self.smallest_bytes = min(sizes, default=None)
        self.largest_bytes = max(self.largest_bytes, other.largest_bytes)
        self.fine += other.fine
        self.bucket_bytes += other.bucket_bytes
        for suffix, (count, size_bytes) in other.suffixes.items():
            _put(self.suffixes, suffix, count, size_bytes, MOST_SUFFIXES)
        for suffix, keys in other.examples.items():
            self.examples[suffix] = [*self.examples.get(suffix, []), *keys][:MAX_EXAMPLES]
        for name, (count, size_bytes) in other.classes.items():
            _put(self.classes, name, count, size_bytes, MOST_CLASSES)
        for what, broken in other.broken.items():
            self._broken(*what).join(broken)
        self.depth_sum += other.depth_sum
        self.depth_most = max(self.depth_most, other.depth_most)

    def _without_markers(self, page: Page) -> Page:
        markers = page.markers()
        if not markers.any():
            return page
        self.folder_markers += int(markers.sum())
        return page.chosen(~markers)

    def _add_sizes(self, sizes: Integers) -> None:
        self.size_bytes += int(sizes.sum())
        smallest = int(sizes.min())
        self.smallest_bytes = smallest if self.smallest_bytes is None else min(self.smallest_bytes, smallest)
        self.largest_bytes = max(self.largest_bytes, int(sizes.max()))
        lengths = bit_lengths(sizes)
        fine = lengths * FINE_PER_DOUBLING + ((sizes >> np.maximum(lengths - _FINE_BITS, 0)) & (FINE_PER_DOUBLING - 1))
        self.fine += np.bincount(fine, minlength=len(self.fine))
        np.add.at(self.bucket_bytes, lengths, sizes)

    def _see_example(self, suffix: str, files: Page, number: int) -> None:
        """Keep a few files of the first suffixes, not empty ones, from different pages."""
        some = self.examples.get(suffix, [])
        if len(some) < MAX_EXAMPLES and (some or len(self.examples) < _MOST_EXAMPLE_SUFFIXES) and files.sizes[number]:
            self.examples[suffix] = [*some, files.key(number)]

    def _add_classes(self, files: Page) -> None:
        counts = np.bincount(files.classes, minlength=len(files.class_names))
        for number in np.flatnonzero(counts).tolist():
            name, which = files.class_names[number], files.classes == number
            _put(self.classes, name, int(counts[number]), int(files.sizes[which].sum()), MOST_CLASSES)
            if is_archived_class(name):
                broken = self._broken(ARCHIVE_RULE, name)
                broken.files += int(counts[number])
                broken.see(files.key(each) for each in np.flatnonzero(which)[:MAX_EXAMPLES].tolist())

    def _judge(self, key: bytes) -> None:
        try:
            reason = path_rule_broken(key.decode())
        except UnicodeDecodeError:
            reason = NOT_UTF_8
        if reason is None and (key.startswith(b"/") or key.endswith(b"/")):
            reason = _NO_END_SLASH
        if reason is not None:
            broken = self._broken(PATH_RULE, reason)
            broken.files += 1
            broken.see((key,))

    def _broken(self, rule_id: str, reason: str) -> Broken:
        return self.broken.setdefault((rule_id, reason), Broken())


class Broken:
    """How many files break a rule, and the first few keys of them."""

    def __init__(self) -> None:
        """None so far."""
        self.files = 0
        self.examples: list[bytes] = []

    def see(self, keys: Iterator[bytes] | tuple[bytes, ...]) -> None:
        """Keep the keys if they are among the first ones in their order."""
        self.examples = sorted({*self.examples, *keys})[:MAX_EXAMPLES]

    def join(self, other: Broken) -> None:
        """Add what another has seen."""
        self.files += other.files
        self.see(tuple(other.examples))


class _Shape:
    """Where the slashes and dots of the files' keys are."""

    def __init__(self, files: Page) -> None:
        self._files = files
        self._slashes = np.flatnonzero(files.text == _SLASH)
        self.dots = np.flatnonzero(files.text == _DOT)
        last = last_before(self._slashes, files.stops)
        self.folder_stops = np.where(last >= files.starts, last + 1, files.starts)

    def slashes_in(self, starts: Integers, stops: Integers) -> Integers:
        """How many slashes are between each start and stop."""
        return np.searchsorted(self._slashes, stops) - np.searchsorted(self._slashes, starts)

    def doubtful(self) -> Integers:
        """The files whose key may be no path: all that are none, and few others."""
        files, text = self._files, self._files.text
        owners: list[Integers] = [self._owners(self._slashes[:-1][np.diff(self._slashes) == 1])]
        # a name that begins with a dot
        before = text[np.maximum(self.dots - 1, 0)]
        starts = np.searchsorted(files.starts, self.dots)
        is_first = files.starts[np.minimum(starts, len(files) - 1)] == self.dots
        owners.append(self._owners(self.dots[(before == _SLASH) | is_first]))
        owners.append(self._owners(np.flatnonzero(_MAY_BE_CONTROL[text])))
        owners.append(files.not_utf_8())
        owners.append(np.flatnonzero(files.stops - files.starts > MAX_FILE_NAME_BYTES))
        owners.append(np.flatnonzero((text[files.starts] == _SLASH) | (text[files.stops - 1] == _SLASH)))
        return np.unique(np.concatenate(owners))

    def _owners(self, places: Integers) -> Integers:
        """The files in whose keys the places are; places between keys belong to none."""
        if not len(places):
            return places
        owners = np.searchsorted(self._files.starts, places, side="right") - 1
        return owners[(owners >= 0) & (places < self._files.stops[owners])]


def bit_lengths(sizes: Integers) -> Integers:
    """``int.bit_length`` of each."""
    lengths = np.frexp(sizes.astype(np.float64))[1].astype(np.int64)
    # a float rounds a large number up, at times to the next power of two
    rounded: Integers = ((lengths > 53) & ((sizes >> np.maximum(lengths - 1, 0)) == 0)).astype(np.int64)
    return lengths - rounded


def last_before(places: Integers, stops: Integers) -> Integers:
    """The last of the places before each stop; -1 where there is none."""
    return np.concatenate([[-1], places])[np.searchsorted(places, stops)]


def _suffixes(files: Page, shape: _Shape) -> Iterator[tuple[str, int, int, int]]:
    """The suffixes in lower case, with files, bytes and the number of the first file.

    Before the suffix of what is compressed stands what it was: ``.tar.gz``.
    """
    dots = last_before(shape.dots, files.stops)
    # a name's own first letter begins no suffix
    starts = np.where(dots > shape.folder_stops, dots, files.stops)
    values, numbers = grouped(files.text, starts, files.stops, _MOST_SUFFIX_BYTES + 1)
    lower = [each.lower() for each in values]
    packed = np.array([each in _COMPRESSED for each in lower])[numbers]
    if packed.any():
        inner_dots = last_before(shape.dots, starts)
        is_inner = packed & (inner_dots > shape.folder_stops)
        inner = grouped(files.text, np.where(is_inner, inner_dots, starts), starts, _MOST_SUFFIX_BYTES + 1)
        names = [_suffix(first.lower()) for first in inner[0]]
        pairs = inner[1] * len(lower) + numbers
        texts = {number: names[number // len(lower)] for number in np.unique(pairs).tolist()}
    else:
        pairs, texts = numbers, {}
    counts = np.bincount(pairs)
    firsts = dict(zip(*(each.tolist() for each in np.unique(pairs, return_index=True)), strict=True))
    sums = np.zeros(len(counts), dtype=np.int64)
    np.add.at(sums, pairs, files.sizes)
    for pair in np.flatnonzero(counts).tolist():
        own = _suffix(lower[pair % len(lower)])
        before = texts.get(pair, "") if own.encode() in _COMPRESSED else ""
        yield before + own, int(counts[pair]), int(sums[pair]), firsts[pair]


def _suffix(value: bytes) -> str:
    """The value as a suffix; empty for what is none: too long, or without a letter (``.0001``)."""
    return value.decode() if len(value) <= _MOST_SUFFIX_BYTES and _SUFFIX.fullmatch(value) else ""


def _put(table: dict[str, tuple[int, int]], name: str, files: int, size_bytes: int, most: int) -> None:
    if name not in table and len(table) >= most:
        name = OTHERS
    counted_files, counted_bytes = table.get(name, (0, 0))
    table[name] = (counted_files + files, counted_bytes + size_bytes)


def fine_bounds(number: int) -> tuple[int, int]:
    """The sizes that a fine class holds: from (included) and to (not included)."""
    length, part = divmod(number, FINE_PER_DOUBLING)
    shift = length - _FINE_BITS
    return (
        (part, part + 1)
        if shift < 0
        else ((part | FINE_PER_DOUBLING) << shift, ((part | FINE_PER_DOUBLING) + 1) << shift)
    )
