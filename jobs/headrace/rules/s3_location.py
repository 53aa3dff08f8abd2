"""The rule of how a place in S3 is written: ``s3://bucket/prefix``, or a bare prefix in the platform's bucket.

Source: Amazon S3 User Guide, "Bucket naming rules".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.s3_names import bucket_rule_broken
from headrace.rules.values import finding


class WrittenLocation(NamedTuple):
    """A place in S3, as the text in a field."""

    field: str
    text: str


def location_rule_broken(text: str) -> tuple[str, str] | None:
    """What is allowed for a place in S3, if this text names none, and the fix; None if it names one."""
    prefix = text
    if "://" in text:
        if not text.startswith("s3://"):
            return "s3://bucket/prefix, or a prefix in the platform's bucket", "write it in one of these forms"
        bucket, _, prefix = text.removeprefix("s3://").partition("/")
        if broken := bucket_rule_broken(bucket):
            return f"for the bucket's name: {broken}", "s3://bucket/prefix/"
    if prefix.startswith("/"):
        return "a prefix that does not begin with '/'", "s3://bucket/prefix/"
    return None


@rule("V134")
def location_is_one(spec: WrittenLocation) -> Iterator[Finding]:
    """A place in S3 is s3://bucket/prefix with a legal bucket name, or a prefix that begins without a slash."""
    if broken := location_rule_broken(spec.text):
        yield finding("V134", spec.field, spec.text, *broken)


LOCATION_RULES: tuple[Rule[Any], ...] = (location_is_one,)
"""Rules of one :class:`WrittenLocation`."""
