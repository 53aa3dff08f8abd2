"""S3 objects, out of moto's own storage in this process.

Over HTTP, client and server would share this interpreter and take milliseconds for each object.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from headrace_local.state import ACCOUNT


class StoredObject(NamedTuple):
    """An object as a listing and a GET describe it; ``size`` in bytes, ``etag`` with its quotes."""

    size: int
    etag: str
    modified_iso: str
    modified_rfc: str


class S3Storage:
    """The objects of a Region's buckets."""

    def __init__(self, region: str) -> None:
        from moto.s3.models import s3_backends
        from moto.utilities.utils import get_partition

        self._backend: Any = s3_backends[ACCOUNT][get_partition(region)]

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        """Key and bytes of every object below a prefix, in the order of keys; none when there is no such bucket."""
        from moto.s3.exceptions import MissingBucket

        while True:
            try:
                found, *_ = self._backend.list_objects(self._backend.head_bucket(bucket), prefix, None, None, None)
                break
            except MissingBucket:
                return []
            except RuntimeError:  # somebody has put a key into the bucket meanwhile: once more
                continue
        return [(str(each.name), int(each.size)) for each in found]

    def describe(self, bucket: str, key: str) -> StoredObject | None:
        """What an object is; None when there is no such object."""
        found = self._find(bucket, key)
        if found is None:
            return None
        return StoredObject(int(found.size), found.etag, found.last_modified_ISO8601, found.last_modified_RFC1123)

    def size(self, bucket: str, key: str) -> int | None:
        """Bytes of an object; None when there is no such object."""
        found = self._find(bucket, key)
        return None if found is None else int(found.size)

    def read(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes; None when there is no such object."""
        found = self._find(bucket, key)
        return None if found is None else bytes(found.value)

    def _find(self, bucket: str, key: str) -> Any:
        from moto.s3.exceptions import MissingBucket

        try:
            return self._backend.get_object(bucket, key)
        except MissingBucket:
            return None
