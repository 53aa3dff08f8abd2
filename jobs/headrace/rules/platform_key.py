"""Rules of the KMS key that a platform's bucket and file systems are encrypted with, where somebody gives one.

A key serves its own Region only, and a wrong one is found when the first object is written.
Rules of our own: V89 Region, V91 account.

Sources: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys" (a key of the bucket's Region); AWS
KMS Developer Guide, "Allowing users in other accounts to use a KMS key".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.data_location import KMS_KEY_ARN
from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.values import Text, finding


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKeySpec:
    """An existing key as asked for, and where the platform is; None: not given."""

    kms_key_arn: Text = None
    platform_region: Text = None
    platform_account: Text = None


@rule("V89", "kms_key_arn", "platform_region")
def key_lies_in_region(spec: PlatformKeySpec) -> Iterator[Finding]:
    """The platform's key is given as its ARN, and lies in the platform's Region."""
    given, region = spec.kms_key_arn, spec.platform_region
    if given is None:
        return
    parts = KMS_KEY_ARN.fullmatch(given) if isinstance(given, str) else None
    if parts is None:
        allowed = "the ARN of a key, arn:aws:kms:region:account:key/id"
        yield finding("V89", "kms_key", given, allowed, "look it up with aws kms describe-key")
    elif region is not None and parts["region"] != region:
        allowed = f"a key in the platform's Region, {region}: S3, EFS and FSx use no other"
        yield finding("V89", "kms_key", given, allowed, "give a key of that Region, or new")


@rule("V91", "kms_key_arn", "platform_account")
def key_of_another_account_lets_platform_in(spec: PlatformKeySpec) -> Iterator[Finding]:
    """A key of another account works if its policy lets the platform's account use it."""
    given, account = spec.kms_key_arn, spec.platform_account
    parts = KMS_KEY_ARN.fullmatch(given) if isinstance(given, str) else None
    if parts is not None and account is not None and parts["account"] != account:
        allowed = f"a key of another account, if its policy lets account {account} use it"
        fix = "ask the owner to grant that account kms:Decrypt, kms:Encrypt, kms:GenerateDataKey* and kms:CreateGrant"
        yield finding("V91", "kms_key", given, allowed, fix, Level.INFO)


PLATFORM_KEY_RULES: tuple[Rule[Any], ...] = (key_lies_in_region, key_of_another_account_lets_platform_in)
"""Rules of one :class:`PlatformKeySpec`."""
