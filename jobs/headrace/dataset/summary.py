"""From what was counted to the profile of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headrace.dataset.counts import ARCHIVE_RULE, FINE_PER_DOUBLING, NOT_UTF_8, OTHERS, PATH_RULE, Counts, fine_bounds
from headrace.dataset.profile import (
    FormatShare,
    KeyTree,
    Profile,
    Quantiles,
    SizeBucket,
    StorageClassShare,
    Unusable,
    Where,
)
from headrace.dataset.stretches import Stretch
from headrace.roads import EFS, LUSTRE, ROADS, S3_FAST_FILE, S3_FILE

MOST_FORMATS: Final = 100
CLASH_RULE: Final = "V130"
_CLASH_REASON: Final = "no object whose key is also the folder of others"
_MAKE_FILES: Final = tuple(road.name for road in (S3_FILE, S3_FAST_FILE, LUSTRE, EFS))
_TIERING_NOTE: Final = (
    "objects in INTELLIGENT_TIERING may be in its archive tiers, which no listing shows; "
    "s3api head-object tells by ArchiveStatus"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """How many folders hold files themselves, and the most files that one holds."""

    folders: int
    most_files: int


def profile_of(counts: Counts, tree: Stretch | Folders | None, location: str, where: Where) -> Profile:
    """The profile. ``tree``: a whole listing in order; folders counted otherwise; None where they were not."""
    clashes = () if not isinstance(tree, Stretch) else _clashes(tree)
    folders = Folders(folders=tree.totals()[0], most_files=tree.totals()[1]) if isinstance(tree, Stretch) else tree
    return Profile(
        location=location,
        where=where,
        files=counts.files,
        size_bytes=counts.size_bytes,
        sizes=_sizes(counts),
        quantiles=_quantiles(counts),
        formats=_formats(counts),
        tree=None if folders is None else _tree(counts, folders),
        storage_classes=tuple(
            StorageClassShare(storage_class=name, files=files, size_bytes=size_bytes)
            for name, (files, size_bytes) in _largest_first(counts.classes)
        ),
        unusable=(*_broken(counts), *clashes),
        folder_markers=counts.folder_markers,
        notes=(_TIERING_NOTE,) if "INTELLIGENT_TIERING" in counts.classes else (),
    )


def shown_key(key: bytes) -> str:
    """A key as text; bytes that are no UTF-8 stand as escapes."""
    return key.decode("utf-8", "backslashreplace")


def _sizes(counts: Counts) -> tuple[SizeBucket, ...]:
    files = counts.fine.reshape(-1, FINE_PER_DOUBLING).sum(axis=1).tolist()
    return tuple(
        SizeBucket(
            from_bytes=1 << (length - 1) if length else 0,
            to_bytes=1 << length,
            files=count,
            size_bytes=int(counts.bucket_bytes[length]),
        )
        for length, count in enumerate(files)
        if count
    )


def _quantiles(counts: Counts) -> Quantiles | None:
    if counts.smallest_bytes is None:
        return None
    smallest, largest, seen = counts.smallest_bytes, counts.largest_bytes, np.cumsum(counts.fine)

    def at(percent: int) -> int:
        # the first class with which so many are seen; its middle is within 1 % of all that it holds
        low, high = fine_bounds(int(np.searchsorted(seen * 100, int(seen[-1]) * percent)))
        return min(max((low + high - 1) // 2, smallest), largest)

    return Quantiles(
        smallest_bytes=smallest,
        p10_bytes=at(10),
        p50_bytes=at(50),
        p90_bytes=at(90),
        p99_bytes=at(99),
        largest_bytes=largest,
    )


def _formats(counts: Counts) -> tuple[FormatShare, ...]:
    ordered = _largest_first(counts.suffixes)
    named = [each for each in ordered if each[0] != OTHERS]
    shown = named[:MOST_FORMATS]
    others = [*named[MOST_FORMATS:], *(each for each in ordered if each[0] == OTHERS)]
    if others:
        shown.append((OTHERS, (sum(each[1][0] for each in others), sum(each[1][1] for each in others))))
    return tuple(
        FormatShare(suffix=suffix, files=files, size_bytes=size_bytes) for suffix, (files, size_bytes) in shown
    )


def _tree(counts: Counts, folders: Folders) -> KeyTree:
    return KeyTree(
        folders=folders.folders,
        depth_most=counts.depth_most,
        depth_mean=round(counts.depth_sum / counts.files, 3) if counts.files else 0.0,
        most_files=folders.most_files,
    )


def _broken(counts: Counts) -> tuple[Unusable, ...]:
    roads = {PATH_RULE: _MAKE_FILES, ARCHIVE_RULE: tuple(road.name for road in ROADS)}
    beside_efs = tuple(road.name for road in ROADS if road is not EFS)
    return tuple(
        Unusable(
            rule_id=rule_id,
            reason=f"in {reason}, to be restored first" if rule_id == ARCHIVE_RULE else reason,
            files=broken.files,
            roads=beside_efs if reason == NOT_UTF_8 else roads[rule_id],
            examples=tuple(map(shown_key, broken.examples)),
        )
        for (rule_id, reason), broken in sorted(counts.broken.items())
    )


def _clashes(stretch: Stretch) -> tuple[Unusable, ...]:
    if not stretch.clashes:
        return ()
    return (
        Unusable(
            rule_id=CLASH_RULE,
            reason=_CLASH_REASON,
            files=stretch.clashes,
            roads=_MAKE_FILES,
            examples=tuple(map(shown_key, stretch.examples)),
        ),
    )


def _largest_first(table: dict[str, tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    return sorted(table.items(), key=lambda each: (-each[1][0], each[0]))
