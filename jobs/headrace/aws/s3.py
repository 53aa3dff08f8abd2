"""Buckets and single objects of S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of
from headrace.rules.locations import ObjectSpec

_MISSING = frozenset({"404", "NoSuchBucket", "NotFound"})
_KEY_IS_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True, slots=True)
class S3:
    """Where a bucket lies, whether a prefix holds anything, and the objects that a launch writes."""

    connection: Connection

    @calls_aws
    def bucket_region(self, bucket: str) -> str | None:
        """The bucket's Region, or None when no such bucket exists; this connection's where the service names none.

        Needs no rights: S3 names the Region in a header also where it answers 301 (elsewhere) or 403 (not yours).
        Source: Amazon S3 API Reference, HeadBucket.
        """
        try:
            answer = self.connection.client("s3").head_bucket(Bucket=bucket)
            return str(answer.get("BucketRegion") or self.connection.region)
        except client_error() as error:
            if code_of(error) in _MISSING:
                return None
            region = _headers(error).get("x-amz-bucket-region")
            if region is None:
                raise
            return region

    @calls_aws
    def first_objects(self, bucket: str, prefix: str, region: str, most: int) -> tuple[tuple[ObjectSpec, ...], bool]:
        """Up to ``most`` objects below the prefix (one page: 1,000 at the most), and whether these are all."""
        page = self.connection.client("s3", region).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most)
        objects = tuple(
            ObjectSpec(key=each["Key"], size_bytes=each["Size"], storage_class=each.get("StorageClass", "STANDARD"))
            for each in page.get("Contents", ())
        )
        return objects, not page.get("IsTruncated", False)

    @calls_aws
    def first_bytes(self, bucket: str, key: str, region: str, most: int) -> bytes | None:
        """Up to ``most`` bytes of an object's beginning; None where there is no such object."""
        s3, first = self.connection.client("s3", region), f"bytes=0-{most - 1}"
        try:
            answer = s3.get_object(Bucket=bucket, Key=key, Range=first)
            return bytes(answer["Body"].read())
        except client_error() as error:
            if code_of(error) in _MISSING | {"NoSuchKey"}:
                return None
            if code_of(error) == "InvalidRange":  # nothing is in it
                return b""
            raise

    @calls_aws
    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Write one object."""
        self.connection.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    @calls_aws
    def create_object(self, bucket: str, key: str, body: bytes) -> bool:
        """Write one object unless there is one of this key, or one is being written; whether it was written.

        Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
        """
        try:
            self.connection.client("s3").put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except client_error() as error:
            if code_of(error) in _KEY_IS_TAKEN:
                return False
            raise
        return True

    @calls_aws
    def delete_object(self, bucket: str, key: str) -> None:
        """Delete one object (in a versioned bucket: hide it)."""
        self.connection.client("s3").delete_object(Bucket=bucket, Key=key)


def _headers(error: Any) -> dict[str, str]:
    return dict(error.response["ResponseMetadata"].get("HTTPHeaders", {}))
