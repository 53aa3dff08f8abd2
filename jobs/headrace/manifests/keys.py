"""What is wrong with one key, and the parts of an S3 URI.

A key must be legal in S3, and as a file's path: in File mode it becomes one below ``/opt/ml/input/data``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from headrace.rules.manifest_mistakes import Mistake
from headrace.rules.s3_names import MAX_FILE_NAME_BYTES, MAX_KEY_BYTES, bucket_rule_broken

S3_SCHEME: Final = "s3://"

# printable ASCII in names of legal length that do not begin with a dot: what nearly all keys are
_PLAIN: Final = re.compile(
    rf"(?=.{{1,{MAX_KEY_BYTES}}}\Z)"
    rf"(?:[ -\-0-~][ -.0-~]{{0,{MAX_FILE_NAME_BYTES - 1}}}+/)*+[ -\-0-~][ -.0-~]{{0,{MAX_FILE_NAME_BYTES - 1}}}+"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]")


def are_plain(keys: Iterable[str]) -> bool:
    """Whether none of the keys has a mistake, as far as a pattern tells that quickly."""
    return all(map(_PLAIN.fullmatch, keys))


def mistakes_of_key(key: str) -> tuple[Mistake, ...]:
    """Every mistake of a whole key."""
    return () if _PLAIN.fullmatch(key) else tuple(mistake for mistake, is_made in _judged(key) if is_made)


def _judged(key: str) -> tuple[tuple[Mistake, bool], ...]:
    names = key.split("/")
    return (
        (Mistake.EMPTY_ENTRY, not key),
        (Mistake.EMPTY_FOLDER, "" in names[:-1]),
        (Mistake.DOT_FOLDER, "." in names or ".." in names),
        (Mistake.FOLDER, key.endswith("/")),
        (Mistake.KEY_TOO_LONG, _size_bytes(key) > MAX_KEY_BYTES),
        (Mistake.NAME_TOO_LONG, any(_size_bytes(name) > MAX_FILE_NAME_BYTES for name in names)),
        (Mistake.NOT_UNICODE, _SURROGATE.search(key) is not None),
        (Mistake.NUL, "\0" in key),
        (Mistake.CONTROL_CHARACTER, _CONTROL.search(key) is not None),
    )


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and key (or prefix) of ``s3://bucket/key``; None for what is no S3 URI of a legal bucket."""
    if not uri.startswith(S3_SCHEME):
        return None
    bucket, _, key = uri.removeprefix(S3_SCHEME).partition("/")
    return (bucket, key) if _is_bucket(bucket) else None


def common_start(one: str, other: str) -> str:
    """What both texts begin with."""
    for at, (here, there) in enumerate(zip(one, other, strict=False)):
        if here != there:
            return one[:at]
    return min(one, other, key=len)


@lru_cache(maxsize=64)
def _is_bucket(name: str) -> bool:
    return bucket_rule_broken(name) is None


def _size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", errors="surrogatepass"))
