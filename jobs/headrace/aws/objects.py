"""Objects of S3 in numbers: listing keys, asking for them, moving whole files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from headrace.aws.connection import Connection, calls_aws, client_error, code_of, one_line_errors
from headrace.aws.s3 import S3
from headrace.errors import InvalidInput
from headrace.rules.locations import ObjectSpec

_CHUNK_BYTES = 1 << 20
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject(ObjectSpec):
    """An object as a listing shows it. ``modified``: when it was written last (UTC)."""

    modified: datetime


@dataclass(frozen=True, slots=True)
class Objects:
    """Each method takes the bucket's Region, as :meth:`bucket_region` tells it."""

    connection: Connection

    def bucket_region(self, bucket: str) -> str | None:
        """The bucket's Region, or None when no such bucket exists."""
        return S3(self.connection).bucket_region(bucket)

    def list_keys(self, bucket: str, prefix: str, region: str) -> Iterator[str]:
        """All keys that begin with ``prefix``, page by page as they are asked for."""
        with one_line_errors():
            pages = self.connection.client("s3", region).get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                yield from (each["Key"] for each in page.get("Contents", ()))

    def list_objects(self, bucket: str, prefix: str, region: str) -> Iterator[StoredObject]:
        """All objects whose key begins with ``prefix``, page by page as they are asked for."""
        with one_line_errors():
            pages = self.connection.client("s3", region).get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                yield from (
                    StoredObject(
                        key=each["Key"],
                        size_bytes=each["Size"],
                        storage_class=each.get("StorageClass", "STANDARD"),
                        modified=each["LastModified"],
                    )
                    for each in page.get("Contents", ())
                )

    @calls_aws
    def object_exists(self, bucket: str, key: str, region: str) -> bool:
        """Whether there is an object of this key. Without the right to list the bucket, S3 does not say: AwsError."""
        try:
            self.connection.client("s3", region).head_object(Bucket=bucket, Key=key)
        except client_error() as error:
            if code_of(error) in _MISSING:
                return False
            raise
        return True

    @calls_aws
    def download(self, bucket: str, key: str, region: str, target: BinaryIO) -> None:
        """Write the object's bytes to ``target``. Raises InvalidInput when there is no such object."""
        try:
            self.connection.client("s3", region).download_fileobj(bucket, key, target)
        except client_error() as error:
            if code_of(error) in _MISSING:
                raise InvalidInput(f"no object s3://{bucket}/{key}; check the URI") from None
            raise

    def chunks(self, bucket: str, key: str, region: str) -> Iterator[bytes]:
        """The object's bytes, piece by piece. Raises InvalidInput when there is no such object."""
        with one_line_errors():
            try:
                body = self.connection.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"]
            except client_error() as error:
                if code_of(error) in _MISSING:
                    raise InvalidInput(f"no object s3://{bucket}/{key}; check the URI") from None
                raise
            yield from body.iter_chunks(_CHUNK_BYTES)

    @calls_aws
    def upload(self, bucket: str, key: str, region: str, source: BinaryIO) -> None:
        """Make the object of what ``source`` holds, in parts if it is large: it appears whole, or not at all."""
        from boto3.exceptions import S3UploadFailedError

        from headrace.aws.connection import AwsError

        try:
            self.connection.client("s3", region).upload_fileobj(source, bucket, key)
        except S3UploadFailedError as error:
            raise AwsError(" ".join(str(error).split())) from None
