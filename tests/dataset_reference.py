"""Listings for tests: keys that break careless readers, pages as S3 writes them, and a count that is plainly right."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from headrace.rules.location_paths import path_rule_broken
from hypothesis import strategies as st

CLASSES = ("STANDARD", "GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING")


@dataclass(frozen=True, slots=True)
class Made:
    """An object of a made-up bucket."""

    key: str
    size: int
    storage_class: str = "STANDARD"

    @property
    def is_marker(self) -> bool:
        """Whether it only marks a folder."""
        return not self.size and self.key.endswith("/")


@dataclass(slots=True)
class Bucket:
    """A made-up bucket that answers as ListObjectsV2 does. ``calls`` are counted."""

    objects: Sequence[Made]
    is_url_encoded: bool = True
    most: int = 1000
    calls: int = 0
    keys: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.objects = sorted(self.objects, key=lambda each: each.key.encode())
        self.keys = [each.key for each in self.objects]

    def page(self, prefix: str = "", after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
        """One page, as XML."""
        self.calls += 1
        start = bisect_left(self.keys, prefix) if after is None else bisect_right(self.keys, max(after, ""))
        start = max(start, bisect_left(self.keys, prefix)) if token is None else int(token.removeprefix("t&"))
        count = min(most, self.most)
        # those below a prefix lie side by side
        below = [each for each in self.objects[start : start + count + 1] if each.key.startswith(prefix)]
        shown = below[:count]
        following = f"t&amp;{start + len(shown)}" if len(shown) < len(below) else None
        return xml_page(shown, following, is_url_encoded=self.is_url_encoded, token=token)


def xml_page(
    objects: Sequence[Made], following: str | None = None, *, is_url_encoded: bool = True, token: str | None = None
) -> bytes:
    """The objects as ListObjectsV2 answers."""
    shown = (lambda key: quote_plus(key, safe="/*-._")) if is_url_encoded else _escaped
    contents = "".join(
        f"<Contents><Key>{shown(each.key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{each.size}</Size>"
        f"<StorageClass>{each.storage_class}</StorageClass></Contents>"
        for each in objects
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name><Prefix></Prefix>{f'<ContinuationToken>{escape(token)}</ContinuationToken>' if token else ''}"
        f"{f'<NextContinuationToken>{following}</NextContinuationToken>' if following else ''}"
        f"<KeyCount>{len(objects)}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"{'<EncodingType>url</EncodingType>' if is_url_encoded else ''}"
        f"<IsTruncated>{'true' if following else 'false'}</IsTruncated>{contents}</ListBucketResult>"
    ).encode()


def _escaped(key: str) -> str:
    return escape(key, {'"': "&quot;", "\r": "&#13;", "\n": "&#xA;"})


LETTERS = st.sampled_from([*"aab/.-0", " ", "+", "%", "&", "<", "é", "\u2028", "😀", "\x01", "\x7f", "~"])
NAMES = st.text(LETTERS, min_size=1, max_size=6)
PIECES = st.sampled_from(["a", "a-", "a.", "a/", "b/", "/", "shared/prefix/", ".", "..", "x.jpg", "x.tar.gz", "y.0001"])
FEW = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "a", "a-", "a/", "a/b/", "b/"]),
        st.sampled_from([*"abcdxyz", "a/x", ""]),
        st.sampled_from(["", "0", "/y"]),
    ),
).filter(bool)
KEYS = st.one_of(
    FEW,
    FEW,
    NAMES,
    st.lists(st.one_of(PIECES, NAMES), min_size=1, max_size=5).map("".join),
    st.builds(lambda head, count: f"{head}{'n' * count}.bin", PIECES, st.sampled_from([1, 249, 251, 252, 300])),
)
OBJECTS = st.lists(
    st.builds(
        Made,
        KEYS,
        st.one_of(st.sampled_from([0, 0, 1, 63, 64, 127, 128, (1 << 40) - 1, 1 << 40]), st.integers(0, 1 << 45)),
        st.sampled_from(CLASSES),
    ),
    max_size=40,
    unique_by=lambda each: each.key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a count must come to."""

    files: int
    size_bytes: int
    markers: int
    buckets: dict[int, tuple[int, int]]
    suffixes: dict[str, tuple[int, int]]
    classes: dict[str, tuple[int, int]]
    depth_sum: int
    depth_most: int
    folders: int
    most_files: int
    clashes: list[str]
    broken: dict[tuple[str, str], list[str]]


def truth(objects: Sequence[Made], prefix: str = "") -> Truth:
    """The plain count, key by key."""
    files = [each for each in objects if not each.is_marker]
    buckets: dict[int, tuple[int, int]] = {}
    suffixes: dict[str, tuple[int, int]] = {}
    classes: dict[str, tuple[int, int]] = {}
    broken: dict[tuple[str, str], list[str]] = {}
    for each in files:
        for table, name in (
            (buckets, each.size.bit_length()),
            (suffixes, suffix(each.key)),
            (classes, each.storage_class),
        ):
            count, size = table.get(name, (0, 0))  # type: ignore[call-overload]
            table[name] = (count + 1, size + each.size)  # type: ignore[index]
        reason = path_rule_broken(each.key)
        if reason is None and (each.key[0] == "/" or each.key[-1] == "/"):
            reason = "no '/' at the beginning or the end of a key that holds data"
        if reason is not None:
            broken.setdefault(("V53", reason), []).append(each.key)
        if each.storage_class in ("GLACIER", "DEEP_ARCHIVE"):
            broken.setdefault(("V27", each.storage_class), []).append(each.key)
    parents = Counter(each.key[: each.key.rfind("/") + 1] for each in files)
    depths = [each.key[len(prefix) :].count("/") for each in files]
    ancestors = {each.key[:at] for each in files for at, letter in enumerate(each.key) if letter == "/"}
    return Truth(
        files=len(files),
        size_bytes=sum(each.size for each in files),
        markers=len(objects) - len(files),
        buckets=buckets,
        suffixes=suffixes,
        classes=classes,
        depth_sum=sum(depths),
        depth_most=max(depths, default=0),
        folders=len(parents),
        most_files=max(parents.values(), default=0),
        clashes=sorted({each.key for each in files} & ancestors, key=str.encode),
        broken={what: sorted(keys, key=str.encode) for what, keys in broken.items()},
    )


def suffix(key: str) -> str:
    """What comes after the last dot of a name; with what is before it, where that is compressed."""
    name = key[key.rfind("/") + 1 :]
    stem, last = _cut(name)
    if last in (".gz", ".bz2", ".xz", ".zst", ".lz4"):
        last = _cut(stem)[1] + last
    return last


def _cut(name: str) -> tuple[str, str]:
    at = name.rfind(".")
    if at <= 0:
        return name, ""
    last = name[at:].encode()
    kept = last.lower()
    is_one = (
        len(last) <= 16
        and all(each in b"abcdefghijklmnopqrstuvwxyz0123456789_-" for each in kept[1:])
        and any(each in b"abcdefghijklmnopqrstuvwxyz" for each in kept)
    )
    return name[:at], kept.decode() if is_one else ""


def is_near(found: int, wanted: int) -> bool:
    """Whether a size is within 1 % of what it should be."""
    return math.isclose(found, wanted, rel_tol=0.01, abs_tol=0)
