"""S3 objects, out of moto's own storage in this process.

Over HTTP, client and server would share this interpreter and take milliseconds for each object.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from headrace_local.state import ACCOUNT


class StoredObject(NamedTuple):
    """An object as a listing describes it; ``size`` in bytes, ``etag`` with its quotes."""

    key: str
    size: int
    etag: str
    modified: datetime


class S3Storage:
    """The objects of a Region's buckets."""

    def __init__(self, region: str) -> None:
        from moto.s3.models import s3_backends
        from moto.utilities.utils import get_partition

        self._backend: Any = s3_backends[ACCOUNT][get_partition(region)]

    def listing(self, bucket: str, prefix: str) -> list[StoredObject] | None:
        """Every object below a prefix, in the order of keys; None when there is no such bucket."""
        from moto.s3.exceptions import MissingBucket

        while True:
            try:
                found, *_ = self._backend.list_objects(self._backend.head_bucket(bucket), prefix, None, None, None)
                return [_described(each) for each in found]
            except MissingBucket:
                return None
            except RuntimeError:  # somebody has put a key into the bucket meanwhile: once more
                continue

    def describe(self, bucket: str, key: str) -> StoredObject | None:
        """What an object is; None when there is no such object."""
        found = self._find(bucket, key)
        return None if found is None else _described(found)

    def read(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes; None when there is no such object."""
        found = self._find(bucket, key)
        return None if found is None else bytes(found.value)

    def read_unchanged(self, bucket: str, key: str, etag: str) -> bytes | None:
        """The bytes of an object as it was; None when it is gone or another by now."""
        found = self._find(bucket, key)
        return None if found is None or found.etag != etag else bytes(found.value)

    def _find(self, bucket: str, key: str) -> Any:
        from moto.s3.exceptions import MissingBucket

        try:
            return self._backend.get_object(bucket, key)
        except MissingBucket:
            return None


def _described(found: Any) -> StoredObject:
    # HTTP headers have whole seconds
    modified = found.last_modified.replace(microsecond=0, tzinfo=UTC)
    return StoredObject(str(found.name), int(found.size), str(found.etag), modified)
