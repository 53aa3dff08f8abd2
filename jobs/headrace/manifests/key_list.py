"""A list of objects as other programs print it: one S3 URI or key a line, or NUL-separated for any key at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from headrace.manifests.keys import S3_SCHEME, split_uri
from headrace.manifests.problems import Problems
from headrace.rules.s3_names import MAX_KEY_BYTES
from headrace.rules.values import shown

_PIECE_BYTES: Final = 1 << 18
_MAX_ITEM_BYTES: Final = 4 * MAX_KEY_BYTES


class KeyList:
    """The keys of a list, all in one bucket.

    ``base``: bucket and prefix that items without ``s3://`` are joined to, and that URIs must lie in; without it
    every item is a URI, and the first one gives the bucket. ``separator``: what ends each item, a line break or NUL.
    """

    def __init__(self, stream: BinaryIO, *, separator: bytes = b"\n", base: tuple[str, str] | None = None) -> None:
        """Nothing is read yet."""
        self._stream = stream
        self._separator = separator
        self._base = base
        self._bucket = base[0] if base else None

    @property
    def bucket(self) -> str:
        """The bucket; empty until the first key was read."""
        return self._bucket or ""

    def keys(self, problems: Problems) -> Iterator[tuple[int, str]]:
        """Each key with its number in the list; items that are none go to ``problems``. Empty items are passed over."""
        for number, item in self._items():
            if not item:
                continue
            key = self._key(item)
            if isinstance(key, str):
                yield number, key
            else:
                text = item[:_MAX_ITEM_BYTES].decode("utf-8", errors="backslashreplace")
                problems.add(f"item {number} is {shown(text)}; allowed: {key[0]}; fix: {key[1]}")

    def _key(self, item: bytes) -> str | tuple[str, str]:
        """The key; or what is allowed, and the fix."""
        if len(item) > _MAX_ITEM_BYTES:
            return f"at most {MAX_KEY_BYTES} bytes", "end each key with a line break (or NUL: --null)"
        try:
            text = item.decode("utf-8")
        except UnicodeDecodeError:
            return "UTF-8", "convert the list"
        if not text.startswith(S3_SCHEME):
            return self._base[1] + text if self._base else ("s3://bucket/key", "give --prefix, where keys lie below it")
        return self._key_of_uri(text)

    def _key_of_uri(self, uri: str) -> str | tuple[str, str]:
        place = split_uri(uri)
        if place is None or not place[1]:
            return "s3://bucket/key", "correct the URI"
        bucket, key = place
        self._bucket = self._bucket or bucket
        start = self._base[1] if self._base else ""
        if bucket != self._bucket or not key.startswith(start):
            whole = f"{S3_SCHEME}{self._bucket}/{start}"
            return f"objects below {whole}, since a manifest has one prefix", "make a manifest for each place"
        return key

    def _items(self) -> Iterator[tuple[int, bytes]]:
        rest, count = b"", 0
        while piece := self._stream.read(_PIECE_BYTES):
            *items, rest = (rest + piece).split(self._separator)
            for number, item in enumerate(items, count + 1):
                yield number, self._without_return(item)
            count += len(items)
            rest = rest[: _MAX_ITEM_BYTES + 1]
        if rest:
            yield count + 1, self._without_return(rest)

    def _without_return(self, item: bytes) -> bytes:
        return item.removesuffix(b"\r") if self._separator == b"\n" else item
