"""Where the data of a channel lies, one frozen record per road, and one table of what each road needs.

A road is a row of :data:`ROADS`: which execution role may read it, and which input mode SageMaker is told. Nothing
else in the package asks "which road is this?"; it asks the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from headrace.errors import InvalidInput
from headrace.rules.s3_names import bucket_rule_broken


class Reach(StrEnum):
    """What a job's execution role must be able to read; the names of the platform's roles."""

    S3 = "s3"
    FILE_SYSTEMS = "file_systems"
    BOTH = "both"


class Distribution(StrEnum):
    """S3DataDistributionType: every instance gets all objects, or each its share."""

    FULLY_REPLICATED = "FullyReplicated"
    SHARDED_BY_S3_KEY = "ShardedByS3Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """A bucket and a key prefix in it."""

    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """The location as ``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"

    def lies_in(self, bucket: str, prefix: str) -> bool:
        """Whether everything below this location is also below ``prefix`` of ``bucket``."""
        return self.bucket == bucket and self.prefix.startswith(prefix)


def parse_s3_location(text: str, *, default_bucket: str) -> S3Location:
    """Read ``s3://bucket/prefix``, or a bare ``prefix`` that lies in the platform's own bucket.

    Raises InvalidInput for another scheme, an illegal bucket name, or a prefix that begins with a slash.
    """
    if "://" not in text:
        bucket, prefix = default_bucket, text
    elif text.startswith("s3://"):
        bucket, _, prefix = text.removeprefix("s3://").partition("/")
    else:
        raise InvalidInput(
            f"S3 location is {text!r}; allowed: s3://bucket/prefix, or a prefix in the platform's bucket; "
            "fix: write it in one of these forms"
        )
    if prefix.startswith("/"):
        raise InvalidInput(
            f"S3 location is {text!r}; allowed: a prefix that does not begin with '/'; fix: s3://bucket/prefix/"
        )
    if broken := bucket_rule_broken(bucket):
        raise InvalidInput(
            f"S3 location is {text!r}; allowed for the bucket's name: {broken}; fix: s3://bucket/prefix/"
        )
    return S3Location(bucket=bucket, prefix=prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FileSource:
    """An S3 prefix, copied to the instance's volume before the script starts (File mode).

    S3 matches the prefix as text: ``data/cat`` also takes ``data/cats/1.png``. End it in ``/`` to mean a folder.
    """

    location: S3Location
    distribution: Distribution = Distribution.FULLY_REPLICATED


Source = S3FileSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What one road needs. ``input_mode`` is SageMaker's InputMode."""

    name: str
    reach: Reach
    input_mode: str


ROADS: Mapping[type[Source], Road] = {
    S3FileSource: Road(name="S3 File", reach=Reach.S3, input_mode="File"),
}


def road_of(source: Source) -> Road:
    """The row of the road that this source takes."""
    return ROADS[type(source)]
