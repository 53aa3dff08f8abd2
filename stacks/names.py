"""Names and ids in the settings that CloudFormation, IAM or SageMaker would refuse much later, or less kindly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headrace.rules.s3_names import bucket_rule_broken

from stacks.settings import EnvironmentSettings

_LEGAL = {
    "platform": (r"[a-z][a-z0-9-]{0,29}", "1 to 30 lower-case letters, digits and hyphens, a letter first"),
    "account": (r"\d{12}", "12 digits, in quotes"),
    "region": (r"[a-z]{2,4}(-[a-z]+)+-\d", "a Region such as us-east-1"),
    "job_name_prefix": (r"|[a-zA-Z0-9][a-zA-Z0-9-]{0,29}", "up to 30 letters, digits and hyphens"),
    "kms_key": (r"aws|new|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "aws, new or a key's ARN"),
    "iam.path": (r"/|/[!-.0-~][!-~]{0,509}/", "a path that begins and ends in '/'"),
    "iam.name_prefix": (r"[\w+=,.@-]{1,32}", "1 to 32 letters, digits and +=,.@_-"),
    "iam.permissions_boundary_arn": (
        r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[!-~]+",
        "the ARN of a managed policy",
    ),
}


def illegal_names(settings: EnvironmentSettings, environment: str) -> Iterator[str]:
    """One line for each name, id or number that is no legal one, and for what contradicts itself."""
    iam, bucket = settings.iam, settings.bucket
    given = {
        "platform": settings.platform if settings.platform is not None else environment,
        "account": settings.account,
        "region": settings.region,
        "job_name_prefix": settings.job_name_prefix,
        "kms_key": settings.kms_key,
        "iam.path": iam.path,
        "iam.name_prefix": iam.name_prefix,
        "iam.permissions_boundary_arn": iam.permissions_boundary_arn,
    }
    for key, value in given.items():
        pattern, allowed = _LEGAL[key]
        if value is not None and not re.fullmatch(pattern, value, re.ASCII):
            yield f"{key} is {value!r}; allowed: {allowed}; fix: correct the value"
    if bucket.adopt is not None and (allowed_name := bucket_rule_broken(bucket.adopt)):
        yield f"bucket.adopt is {bucket.adopt!r}; allowed: {allowed_name}; fix: the name of the bucket that was kept"
    days = bucket.noncurrent_version_days
    if days is not None and days < 1:
        yield f"bucket.noncurrent_version_days is {days}; allowed: 1 or more, or null to keep all; fix: give days"
    if settings.kms_key == "new" and bucket.adopt is not None:
        yield (
            "kms_key is 'new'; allowed: the key that the adopted bucket has; "
            "fix: its ARN (the earlier deployment kept it), or aws if it has none"
        )
