"""The entries of a new manifest: what stands in it after the prefix.

The prefix stands first in a manifest. Where it is not given it is known only when the list has ended: what was read
waits in a temporary file. Keys that a check would refuse are refused here, all of them together.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from headrace.errors import InvalidInput
from headrace.manifests.batching import in_batches
from headrace.manifests.key_list import KeyList
from headrace.manifests.keys import S3_SCHEME, common_start, split_uri
from headrace.manifests.problems import Problems


@dataclass(frozen=True, slots=True)
class Entries:
    """A manifest's content: ``prefix``, an S3 URI that ends in '/', and what is joined to it.

    Iterating ends with InvalidInput when keys were unusable, or when there were none.
    """

    prefix: str
    relative_keys: Iterator[str]


def parse_prefix(uri: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``. Raises InvalidInput for anything else."""
    place = split_uri(uri)
    if place is None:
        raise InvalidInput(f"prefix is {uri!r}; allowed: s3://bucket/folder/ with a legal bucket name; fix: correct it")
    return place


def folder_of(prefix: str) -> str:
    """The prefix up to its last '/'."""
    return prefix[: prefix.rfind("/") + 1]


def entries_below(bucket: str, prefix: str, keys: Iterable[tuple[int, str]], problems: Problems) -> Entries:
    """Entries for keys below a prefix that is given; each key comes with its number in the source."""
    folder = folder_of(prefix)
    usable = _usable(keys, problems)
    return Entries(f"{S3_SCHEME}{bucket}/{folder}", (key[len(folder) :] for key in usable))


@contextmanager
def entries_of_list(items: KeyList, problems: Problems) -> Iterator[Entries]:
    """Entries for a list of URIs, below the folder that they share."""
    with tempfile.TemporaryFile() as waiting:
        common: str | None = None
        for batch in in_batches(_usable(items.keys(problems), problems)):
            shared = common_start(min(batch), max(batch))
            common = shared if common is None else common_start(common, shared)
            waiting.write(json.dumps(batch).encode("ascii") + b"\n")
        waiting.seek(0)
        folder = folder_of(common or "")
        relative_keys = (key[len(folder) :] for line in waiting for key in json.loads(line))
        yield Entries(f"{S3_SCHEME}{items.bucket}/{folder}", relative_keys)


def without_markers(keys: Iterable[str], suffixes: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Keys of a listing that end in one of the suffixes (any, if there are none), without folder markers."""
    ends = tuple(suffixes) or ("",)
    numbered = enumerate(keys, 1)
    return ((number, key) for number, key in numbered if key.endswith(ends) and not key.endswith("/"))


def _usable(keys: Iterable[tuple[int, str]], problems: Problems) -> Iterator[str]:
    any_key = False
    for number, key in keys:
        any_key = True
        problems.add_of_key("item", number, key, key)
        yield key
    problems.raise_all()
    if not any_key:
        raise InvalidInput("no objects to name; allowed: at least one; fix: check the prefix, suffix or list")
