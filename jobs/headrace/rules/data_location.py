"""Rules of a data location: an existing bucket and prefix whose data jobs may read.

headrace does not own such a bucket, so it cannot repair what is wrong with it; it can say what its owner must do.
Rules of our own: V70 bucket name, V71 prefix, V72 other account, V73 and V91 key of the data.

Sources: headrace.rules.s3_names for names; Amazon SageMaker API Reference, S3DataSource (the bucket lies in the
job's Region); IAM User Guide, "Cross account resource access in IAM" (both sides must allow).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import UNKNOWN, Finding, Level, Rule, rule
from headrace.rules.places import is_region
from headrace.rules.s3_names import bucket_rule_broken, posix_rule_broken, prefix_rule_broken
from headrace.rules.values import Text, finding

KMS_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):key/[A-Za-z0-9-]+", re.ASCII
)

_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLocationSpec:
    """An existing place of training data; None: not given.

    ``label`` names the setting in findings, such as ``data_locations[0]``. ``region`` and ``account`` are the
    bucket's; not given, they are the platform's. ``kms_key_arn``: the key that its objects are encrypted with.
    """

    label: str = "data_location"
    bucket: Text = None
    prefix: Text = None
    region: Text = None
    platform_region: Text = None
    account: Text = None
    platform_account: Text = None
    kms_key_arn: Text = None


@rule("V28", "label", "prefix")
def prefix_is_posix_legal(spec: DataLocationSpec) -> Iterator[Finding]:
    """A prefix is a legal path of directories."""
    if isinstance(spec.prefix, str) and (allowed := posix_rule_broken(spec.prefix)):
        yield finding("V28", f"{spec.label}.prefix", spec.prefix, allowed, "rename the folder in S3")


@rule("V53", "label", "prefix")
def prefix_has_no_empty_folder(spec: DataLocationSpec) -> Iterator[Finding]:
    """A prefix has no ``//``: SageMaker's download fails on it."""
    if isinstance(spec.prefix, str) and "//" in spec.prefix:
        allowed = "no '//', on which SageMaker's download fails"
        yield finding("V53", f"{spec.label}.prefix", spec.prefix, allowed, "copy the data to another prefix")


@rule("V54", "label", "region", "platform_region")
def location_is_in_region(spec: DataLocationSpec) -> Iterator[Finding]:
    """S3 channels read buckets of the job's own Region."""
    region, field = spec.region, f"{spec.label}.region"
    if region is None:
        return
    if not is_region(region):
        yield finding("V54", field, region, "a Region such as us-east-1", "give the bucket's Region")
    elif spec.platform_region is not None and region != spec.platform_region:
        allowed = f"{spec.platform_region}, since a job reads S3 in its own Region only"
        yield finding("V54", field, region, allowed, "replicate the data, or deploy a platform in that Region")


@rule("V70", "label", "bucket")
def bucket_name_is_legal(spec: DataLocationSpec) -> Iterator[Finding]:
    """A bucket's name follows the naming rules of S3."""
    if allowed := bucket_rule_broken(spec.bucket):
        yield finding("V70", f"{spec.label}.bucket", spec.bucket, allowed, "give the bucket's name, without s3://")


@rule("V71", "label", "prefix")
def prefix_is_legal(spec: DataLocationSpec) -> Iterator[Finding]:
    """A prefix names a folder, and nothing that a policy would read as a wildcard."""
    if allowed := prefix_rule_broken(spec.prefix):
        yield finding("V71", f"{spec.label}.prefix", spec.prefix, allowed, "write it like data/images/")


@rule("V72", "label", "account", "platform_account")
def owner_grants_access(spec: DataLocationSpec) -> Iterator[Finding]:
    """A bucket of another account may be read if its owner allows it as well."""
    account, field = spec.account, f"{spec.label}.account"
    if account is None:
        return
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        yield finding("V72", field, account, "an account id: text of 12 digits", 'quote it: "012345678901"')
    elif spec.platform_account is not None and account != spec.platform_account:
        allowed = "another account, if the bucket's policy lets the platform's roles read it"
        fix = "ask the owner to grant them s3:GetObject and s3:ListBucket in the bucket policy"
        yield finding("V72", field, account, allowed, fix, Level.INFO)


@rule("V73", "label", "kms_key_arn", "region", "platform_region")
def key_is_usable(spec: DataLocationSpec) -> Iterator[Finding]:
    """The data's KMS key is given as its ARN, and lies in the bucket's Region."""
    given, field = spec.kms_key_arn, f"{spec.label}.kms_key_arn"
    if given is None:
        return
    parts = KMS_KEY_ARN.fullmatch(given) if isinstance(given, str) else None
    if parts is None:
        allowed = "the ARN of a key, arn:aws:kms:region:account:key/id, since a policy cannot name an alias"
        yield finding("V73", field, given, allowed, "look it up with aws kms describe-key")
        return
    region = spec.region or spec.platform_region
    if region is not None and parts["region"] != region:
        yield finding("V73", field, given, f"a key in the bucket's Region, {region}", "give the bucket's key")


@rule("V91", "label", "kms_key_arn", "platform_account")
def key_of_another_account_lets_readers_in(spec: DataLocationSpec) -> Iterator[Finding]:
    """A key of another account works if its policy lets the readers in."""
    given, account = spec.kms_key_arn, spec.platform_account
    parts = KMS_KEY_ARN.fullmatch(given) if isinstance(given, str) else None
    if parts is not None and account is not None and parts["account"] != account:
        allowed = "a key of another account, if its policy lets the platform's roles decrypt with it"
        fix = "ask the owner to grant them kms:Decrypt in the key policy"
        yield finding("V91", f"{spec.label}.kms_key_arn", given, allowed, fix, Level.INFO)


def lies_below(bucket: object, prefix: object, location: DataLocationSpec) -> bool:
    """Whether everything below ``prefix`` of ``bucket`` lies in the location, as far as all of it is known."""
    if bucket != location.bucket and UNKNOWN not in (bucket, location.bucket):
        return False
    if UNKNOWN in (prefix, location.prefix):
        return True
    both_text = isinstance(prefix, str) and isinstance(location.prefix, str)
    return both_text and str(prefix).startswith(str(location.prefix))


DATA_LOCATION_RULES: tuple[Rule[Any], ...] = (
    bucket_name_is_legal,
    prefix_is_legal,
    prefix_is_posix_legal,
    prefix_has_no_empty_folder,
    location_is_in_region,
    owner_grants_access,
    key_is_usable,
    key_of_another_account_lets_readers_in,
)
"""Rules of one :class:`DataLocationSpec`."""
