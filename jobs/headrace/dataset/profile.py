"""The profile of a data set: all that advice needs to know of it, and small however large the data set is.

An object of S3 is called a file, as a training script sees it; an empty object whose key ends with a slash marks a
folder and is none. Sizes are kept as a histogram with one bucket for each power of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

FORMAT_VERSION = 1
"""Of the profile as JSON; one more with each change that an older headrace cannot read."""


class Where(StrEnum):
    """Where a data set lies now."""

    S3 = "s3"
    EFS = "efs"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBucket:
    """Files of ``from_bytes`` up to, but not including, ``to_bytes``; the first bucket holds the empty ones, 0 to 1."""

    from_bytes: int
    to_bytes: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Sizes in bytes below which so many of a hundred files lie; exact at both ends, within 1 % between them."""

    smallest_bytes: int
    p10_bytes: int
    p50_bytes: int
    p90_bytes: int
    p99_bytes: int
    largest_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatShare:
    """Files of one format. ``suffix``: in lower case with its dot, empty for none, ``*`` for all that are not named.

    ``content``: what the first bytes of a few of them say, such as ``JPEG``; None where nobody looked, or they say
    nothing known. ``is_container``: whether one such file holds many samples (TFRecord, tar, Parquet …); None: unknown.
    """

    suffix: str
    files: int
    size_bytes: int
    content: str | None = None
    is_container: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTree:
    """The folders that the keys make below the prefix. A file right below the prefix has depth 0.

    ``folders``: those that hold files themselves. ``most_files``: in one of them.
    """

    folders: int
    depth_most: int
    depth_mean: float
    most_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClassShare:
    """Files of one storage class, as S3 names it."""

    storage_class: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Files that some roads cannot take. ``rule_id``: of the rule that says so. ``roads``: names of those roads."""

    rule_id: str
    reason: str
    files: int
    roads: tuple[str, ...]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleError:
    """Of an estimate: what holds the truth in nine of ten samples, for files and bytes. ``listed``: files seen."""

    listed: int
    files_low: int
    files_high: int
    size_bytes_low: int
    size_bytes_high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A data set. ``location``: an ``s3://`` URI or a path. ``taken``: when, ISO 8601 in UTC.

    ``region``: of the bucket. ``sizes``: only buckets that hold a file, the smallest first; their files and bytes sum
    up to the whole. ``quantiles`` is None of an empty data set. ``sample_error``: None where all was listed.
    ``notes``: what the figures do not say, in words.
    """

    location: str
    where: Where
    files: int
    size_bytes: int
    sizes: tuple[SizeBucket, ...]
    quantiles: Quantiles | None = None
    formats: tuple[FormatShare, ...] = ()
    tree: KeyTree | None = None
    storage_classes: tuple[StorageClassShare, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    folder_markers: int = 0
    region: str | None = None
    taken: str | None = None
    sample_error: SampleError | None = None
    notes: tuple[str, ...] = ()

    @property
    def mean_bytes(self) -> float:
        """Bytes per file; 0 of an empty data set."""
        return self.size_bytes / self.files if self.files else 0.0


def bucket_bounds(size_bytes: int) -> tuple[int, int]:
    """The bucket of a size: from (included) and to (not included). ``0`` alone is the first bucket."""
    exponent = size_bytes.bit_length()
    return (0, 1) if not exponent else (1 << (exponent - 1), 1 << exponent)


def profile_of_sizes(location: str, where: Where, sizes: Mapping[int, int] | Iterable[tuple[int, int]]) -> Profile:
    """A profile of sizes alone, exact: ``sizes`` are (bytes of a file, how many such files)."""
    pairs = sorted(sizes.items() if isinstance(sizes, Mapping) else sizes)
    buckets: dict[tuple[int, int], list[int]] = {}
    for size_bytes, files in pairs:
        bucket = buckets.setdefault(bucket_bounds(size_bytes), [0, 0])
        bucket[0] += files
        bucket[1] += files * size_bytes
    total = sum(files for _, files in pairs)
    return Profile(
        location=location,
        where=where,
        files=total,
        size_bytes=sum(size_bytes * files for size_bytes, files in pairs),
        sizes=tuple(
            SizeBucket(from_bytes=low, to_bytes=high, files=files, size_bytes=size_bytes)
            for (low, high), (files, size_bytes) in buckets.items()
        ),
        quantiles=_quantiles(pairs, total) if total else None,
    )


def _quantiles(pairs: list[tuple[int, int]], total: int) -> Quantiles:
    def at(percent: int) -> int:
        seen = 0
        for size_bytes, files in pairs:
            seen += files
            if seen * 100 >= total * percent:
                return size_bytes
        raise AssertionError("percent is at most 100")

    return Quantiles(
        smallest_bytes=pairs[0][0],
        p10_bytes=at(10),
        p50_bytes=at(50),
        p90_bytes=at(90),
        p99_bytes=at(99),
        largest_bytes=pairs[-1][0],
    )
