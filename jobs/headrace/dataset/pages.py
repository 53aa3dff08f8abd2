"""Pages of a listing as columns: numpy arrays over the bytes that came, and nothing in Python for each key.

botocore's parser makes a dictionary of strings of every object, which takes nearly a hundred milliseconds a page and is
what a listing waits for. Here a page of ListObjectsV2 is searched for its tags in one sweep. Text of XML holds no
``<``, so a value ends at the next tag. Keys are asked for URL-encoded, since XML 1.0 cannot hold every character that a
key may have; a service that does not say so in its answer is taken to have escaped them as XML does.

Source: Amazon S3 API Reference, ListObjectsV2 (``encoding-type``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.errors import HeadraceError

Integers: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]

_NO_CLASS: Final = "STANDARD"
_MOST_DIGITS: Final = 18
_HEX: Final = np.full(256, 255, dtype=np.uint8)
for _number, _digit in enumerate(b"0123456789abcdef"):
    _HEX[_digit] = _HEX[ord(chr(_digit).upper())] = _number


class NoListing(HeadraceError):
    """The answer is no page of ListObjectsV2: not S3, or something between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Objects in the order of their keys. Key number i is ``text[starts[i]:stops[i]]``, as UTF-8.

    ``classes``: for each object the number of its storage class in ``class_names``.
    """

    text: Bytes
    starts: Integers
    stops: Integers
    sizes: Integers
    classes: Integers
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.starts)

    def key(self, number: int) -> bytes:
        """One key; negative numbers count from the end."""
        return self.text[self.starts[number] : self.stops[number]].tobytes()

    def __getitem__(self, number: int) -> bytes:
        # so that bisect can search it
        return self.key(number)

    def first(self, count: int) -> Page:
        """The first so many objects."""
        return self.chosen(slice(0, count))

    def up_to(self, last_key: bytes | None) -> Page:
        """The objects whose key is at most ``last_key``; all of them for None."""
        if last_key is None or not len(self) or self.key(-1) <= last_key:
            return self
        return self.first(bisect_right(self, last_key))

    def markers(self) -> NDArray[np.bool_]:
        """Which of the objects only mark a folder: empty ones whose key ends with a slash."""
        last = self.text[self.stops - 1] if len(self.text) else np.zeros(len(self), dtype=np.uint8)
        marked: NDArray[np.bool_] = (self.sizes == 0) & (self.stops > self.starts) & (last == ord("/"))
        return marked

    def not_utf_8(self) -> Integers:
        """The objects whose key is no UTF-8, as a file's name may be; none of a listing of S3."""
        begins_inside = (self.text[self.starts[self.stops > self.starts]] & 0xC0 == 0x80).any()
        if not begins_inside and _is_utf_8(self.text.tobytes()):
            return np.zeros(0, dtype=np.int64)
        return np.array([each for each in range(len(self)) if not _is_utf_8(self.key(each))], dtype=np.int64)

    def chosen(self, which: slice | NDArray[np.bool_]) -> Page:
        """The objects of a slice or a mask."""
        return Page(
            text=self.text,
            starts=self.starts[which],
            stops=self.stops[which],
            sizes=self.sizes[which],
            classes=self.classes[which],
            class_names=self.class_names,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """What one answer of ListObjectsV2 holds. ``next_token``: for the page that follows; None after the last."""

    page: Page
    next_token: str | None


def page_of(
    keys: Sequence[bytes], sizes: Sequence[int], classes: Sequence[int] | None = None, class_names: Sequence[str] = ()
) -> Page:
    """A page of what others than S3's listing told. Without ``classes`` the objects have none."""
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    stops = np.cumsum(lengths)
    return Page(
        text=np.frombuffer(b"".join(keys), dtype=np.uint8),
        starts=stops - lengths,
        stops=stops,
        sizes=np.array(sizes, dtype=np.int64),
        classes=np.zeros(len(keys), dtype=np.int64) if classes is None else np.array(classes, dtype=np.int64),
        class_names=tuple(class_names),
    )


def parse_page(body: bytes) -> ListedPage:
    """Read the answer of ListObjectsV2. Raises NoListing for anything else."""
    if b"<ListBucketResult" not in body[:1024]:
        raise NoListing("ListObjectsV2: the answer is no listing of S3; check AWS_ENDPOINT_URL and proxies")
    # four bytes beyond the end, so that every tag has four bytes after it
    text = np.frombuffer(body + b"    ", dtype=np.uint8)
    tags = np.flatnonzero(text == ord("<"))
    names = _names(text, tags)
    # the fifth letter tells Contents from ContinuationToken
    objects = tags[names == _name(b"Cont")]
    objects = objects[text[objects + 5] == ord("e")]
    outside = body
    if len(objects):
        outside = body[: objects[0]] + body[max(int(objects[-1]), body.rfind(b"</Contents>")) :]
    starts, stops = _values(tags, names, objects, b"Key>", 5)
    columns = _compact(text, starts, stops)
    if _value_of(outside, b"EncodingType") == b"url":
        columns = _unquoted(columns)
    elif len(starts) and b"&" in body:
        columns = _unescaped(columns)
    if not _is_utf_8(columns.text.tobytes()):
        raise NoListing("ListObjectsV2: the answer has a key that is no UTF-8; check AWS_ENDPOINT_URL")
    classes, class_names = _classes(text, tags, names, objects)
    page = Page(
        text=columns.text,
        starts=columns.starts,
        stops=columns.stops,
        sizes=_numbers(text, *_values(tags, names, objects, b"Size", 6)),
        classes=classes,
        class_names=class_names,
    )
    token = _value_of(outside, b"NextContinuationToken") if _value_of(outside, b"IsTruncated") == b"true" else None
    return ListedPage(page=page, next_token=None if token is None else _xml_text(token).decode())


@dataclass(frozen=True, slots=True)
class _Columns:
    text: Bytes
    starts: Integers
    stops: Integers


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _compact(text: Bytes, starts: Integers, stops: Integers) -> _Columns:
    """The keys alone, without what stands between them: all that follows looks at a tenth of the bytes."""
    lengths = stops - starts
    ends = np.cumsum(lengths)
    shifts = np.repeat(starts - (ends - lengths), lengths)
    return _Columns(text[np.arange(len(shifts)) + shifts], ends - lengths, ends)


def _name(four: bytes) -> int:
    return int.from_bytes(four, "little")


def _names(text: Bytes, tags: Integers) -> NDArray[np.uint32]:
    """The first four letters of each tag as one number; 0 of those that close an element."""
    names = np.zeros(len(tags), dtype=np.uint32)
    opening = np.flatnonzero(text[tags + 1] != ord("/"))
    at = tags[opening] + 1
    letters = [text[at + place].astype(np.uint32) << (8 * place) for place in range(4)]
    names[opening] = letters[0] | letters[1] | letters[2] | letters[3]
    return names


def _values(
    tags: Integers, names: NDArray[np.uint32], objects: Integers, name: bytes, opening_bytes: int
) -> tuple[Integers, Integers]:
    """Where the values of an element begin and end, one for each object."""
    found = np.flatnonzero(names == _name(name))
    owners = np.searchsorted(objects, tags[found], side="right") - 1
    found, owners = found[owners >= 0], owners[owners >= 0]
    if len(found) != len(objects) or not np.array_equal(owners, np.arange(len(objects))):
        wanted = name.decode().strip(">")
        raise NoListing(f"ListObjectsV2: not every object of the answer has one {wanted}; check AWS_ENDPOINT_URL")
    return tags[found] + opening_bytes, tags[found + 1]


def _numbers(text: Bytes, starts: Integers, stops: Integers) -> Integers:
    """Decimal numbers, of eighteen digits at the most."""
    lengths = stops - starts
    values = np.zeros(len(starts), dtype=np.int64)
    most = int(lengths.max(initial=0))
    if most > _MOST_DIGITS or int(lengths.min(initial=1)) < 1:
        raise NoListing("ListObjectsV2: the answer has a size that is none; check AWS_ENDPOINT_URL")
    for place in range(most):
        inside = place < lengths
        digits = text[np.minimum(starts + place, len(text) - 1)].astype(np.int64) - ord("0")
        if ((digits < 0) | (digits > 9))[inside].any():
            raise NoListing("ListObjectsV2: the answer has a size that is none; check AWS_ENDPOINT_URL")
        values = np.where(inside, values * 10 + digits, values)
    return values


def _classes(
    text: Bytes, tags: Integers, names: NDArray[np.uint32], objects: Integers
) -> tuple[Integers, tuple[str, ...]]:
    """The storage classes; S3 names STANDARD too, services that are like it leave it out."""
    found = np.flatnonzero(names == _name(b"Stor"))
    owners = np.searchsorted(objects, tags[found], side="right") - 1
    values, numbers = grouped(text, tags[found] + len("<StorageClass>"), tags[found + 1], 32)
    if len(found) == len(objects):
        return numbers, tuple(each.decode("ascii", "replace") for each in values)
    classes = np.full(len(objects), len(values), dtype=np.int64)
    classes[owners] = numbers
    return classes, (*(each.decode("ascii", "replace") for each in values), _NO_CLASS)


def grouped(text: Bytes, starts: Integers, stops: Integers, most_bytes: int) -> tuple[list[bytes], Integers]:
    """The different values, each cut at ``most_bytes``, and for each place the number of its value."""
    if not len(starts):
        return [], np.zeros(0, dtype=np.int64)
    lengths = np.minimum(stops - starts, most_bytes)
    width = max(1, int(lengths.max()))
    offsets = np.arange(width)
    table = np.where(offsets < lengths[:, None], text[np.minimum(starts[:, None] + offsets, len(text) - 1)], 0)
    table = table.astype(np.uint8)
    if (table == table[0]).all():
        return [table[0].tobytes().rstrip(b"\0")], np.zeros(len(starts), dtype=np.int64)
    values, numbers = np.unique(table.view(f"S{width}").ravel(), return_inverse=True)
    return [bytes(each) for each in values], numbers


def _unquoted(columns: _Columns) -> _Columns:
    """Undo the encoding of URLs: ``+`` is a space, and ``%`` with two digits a byte."""
    text = columns.text
    if not len(text):
        return columns
    percents = np.flatnonzero(text == ord("%"))
    text = np.where(text == ord("+"), np.uint8(ord(" ")), text)
    if not len(percents):
        return _Columns(text, columns.starts, columns.stops)
    last = len(text) - 1
    high, low = (_HEX[text[np.minimum(percents + place, last)]] for place in (1, 2))
    # the two digits may not be those of the next key either
    owners = np.searchsorted(columns.stops, percents, side="right")
    if int(high.max()) > 15 or int(low.max()) > 15 or (percents + 2 >= columns.stops[owners]).any():
        raise NoListing("ListObjectsV2: the answer has a key whose encoding is broken; check AWS_ENDPOINT_URL")
    text[percents] = high * 16 + low
    keep = np.ones(len(text), dtype=np.bool_)
    keep[percents + 1] = keep[percents + 2] = False
    return _Columns(
        text[keep],
        columns.starts - 2 * np.searchsorted(percents, columns.starts),
        columns.stops - 2 * np.searchsorted(percents, columns.stops),
    )


def _unescaped(columns: _Columns) -> _Columns:
    ampersands = np.flatnonzero(columns.text == ord("&"))
    if np.array_equal(np.searchsorted(ampersands, columns.starts), np.searchsorted(ampersands, columns.stops)):
        return columns
    places = zip(columns.starts, columns.stops, strict=True)
    page = page_of([_xml_text(columns.text[start:stop].tobytes()) for start, stop in places], [0] * len(columns.starts))
    return _Columns(page.text, page.starts, page.stops)


def _xml_text(escaped: bytes) -> bytes:
    if b"&" not in escaped:
        return escaped
    import re

    return re.sub(rb"&(#x[0-9a-fA-F]+|#[0-9]+|[a-z]+);", _character, escaped)


_ENTITIES: Final = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def _character(match: Any) -> bytes:
    name: bytes = match[1]
    if not name.startswith(b"#"):
        return _ENTITIES.get(name, bytes(match[0]))
    number = int(name[2:], 16) if name[1:2] == b"x" else int(name[1:])
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else bytes(match[0])


def _value_of(outside: bytes, name: bytes) -> bytes | None:
    """The value of an element that is there once, outside the objects."""
    start = outside.find(b"<" + name + b">")
    if start < 0:
        return None
    start += len(name) + 2
    return outside[start : outside.find(b"<", start)]
