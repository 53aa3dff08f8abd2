"""Names and ids in the settings that CloudFormation, IAM or SageMaker would refuse much later, or less kindly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from headrace.rules.catalogue import CATALOGUE
from headrace.rules.s3_names import bucket_rule_broken

from stacks.settings import (
    AlarmSettings,
    BucketSettings,
    EnvironmentSettings,
    IamSettings,
    LustreSettings,
    SuppressionSettings,
)

RESERVED_TAGS = ("aws:", "headrace:")

_NAME = (r"[a-z][a-z0-9-]{0,29}", "1 to 30 lower-case letters, digits and hyphens, a letter first")
_LEGAL = {
    "env": _NAME,
    "platform": _NAME,
    "account": (r"\d{12}", "12 digits, in quotes"),
    "region": (r"[a-z]{2,4}(-[a-z]+)+-\d", "a Region such as us-east-1"),
    "job_name_prefix": (
        r"|[a-z0-9][a-z0-9-]{0,29}",
        "up to 30 lower-case letters, digits and hyphens: ARNs of jobs are in lower case, and IAM compares case",
    ),
    "kms_key": (r"aws|new|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "aws, new or a key's ARN"),
    "iam.path": (r"/|/[!-.0-~][!-~]{0,509}/", "a path that begins and ends in '/'"),
    "iam.name_prefix": (r"[\w+=,.@-]{1,32}", "1 to 32 letters, digits and +=,.@_-"),
    "iam.permissions_boundary_arn": (
        r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[!-~]+",
        "the ARN of a managed policy",
    ),
    "alarms.topic_arn": (
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}",
        "the ARN of a topic of SNS, not a FIFO one, to which alarms cannot publish",
    ),
    "alarms.emails": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "addresses such as ml-platform@example.com"),
    "lustre.preload.image": (r"[^\s{}%]{1,255}", "repository:tag, or a full URI"),
    "lustre.preload.instance_type": (
        r"ml\.[a-z0-9-]+\.[a-z0-9]+",
        "an instance type of SageMaker, such as ml.m5.xlarge",
    ),
    "iam.image_repository_arns": (
        r"arn:aws[a-z-]*:ecr:[a-z0-9*-]+:(\d{12}|\*):repository/[a-z0-9*][a-z0-9._/*-]*",
        "ARNs of ECR repositories, arn:aws:ecr:region:account:repository/name",
    ),
}


def pattern(key: str) -> str:
    """The regular expression, for the whole value, of what ``key`` may be."""
    return _LEGAL[key][0]


def allowed(key: str) -> str:
    """What ``key`` may be, in words."""
    return _LEGAL[key][1]


def illegal_names(settings: EnvironmentSettings, environment: str) -> Iterator[str]:
    """One line for each name, id or number that is no legal one, and for what contradicts itself."""
    iam = settings.iam
    given = {
        "env": environment,
        "platform": settings.platform,
        "account": settings.account,
        "region": settings.region,
        "job_name_prefix": settings.job_name_prefix,
        "kms_key": settings.kms_key,
        "iam.path": iam.path,
        "iam.name_prefix": iam.name_prefix,
        "iam.permissions_boundary_arn": iam.permissions_boundary_arn,
        "alarms.topic_arn": settings.alarms.topic_arn,
    }
    for key, value in given.items():
        if value is not None and not _is_legal(key, value):
            yield f"{key} is {value!r}; allowed: {allowed(key)}; fix: correct the value"
    yield from _illegal_alarms(settings)
    yield from _illegal_preload(settings.lustre)
    yield from _illegal_repositories(iam)
    yield from _illegal_bucket(settings)
    yield from _illegal_suppressions(settings.suppressions)
    for key in settings.tags:
        if key.lower().startswith(RESERVED_TAGS):
            yield (
                f"tags has {key!r}; allowed: keys that do not begin with {' or '.join(RESERVED_TAGS)}, which AWS and "
                "headrace set themselves; fix: choose another key"
            )


def with_legal_names(settings: EnvironmentSettings) -> EnvironmentSettings:
    """The settings without what :func:`illegal_names` finds, so that the rest can be judged as well."""
    region, bucket = settings.region, settings.bucket
    has_illegal_bucket = any(_illegal_bucket(replace(settings, kms_key="aws")))
    return replace(
        settings,
        platform=None,
        account=None,
        region=region if region is not None and _is_legal("region", region) else None,
        job_name_prefix=None,
        kms_key=settings.kms_key if _is_legal("kms_key", settings.kms_key) else "aws",
        bucket=BucketSettings() if has_illegal_bucket else bucket,
        iam=IamSettings(),
        alarms=AlarmSettings(),
        lustre=replace(settings.lustre, preload=None),
        suppressions=tuple(each for each in settings.suppressions if not any(_illegal_suppressions((each,)))),
        tags={},
    )


def _is_legal(key: str, value: str) -> bool:
    return re.fullmatch(pattern(key), value, re.ASCII) is not None


def _illegal_repositories(iam: IamSettings) -> Iterator[str]:
    if iam.image_repository_arns == ():
        yield (
            "iam.image_repository_arns is empty; allowed: null, for every repository that lets this account in, or a "
            "list of ARNs; fix: leave it out, or name the repositories of your images"
        )
    for index, arn in enumerate(iam.image_repository_arns or ()):
        if not _is_legal("iam.image_repository_arns", arn):
            yield (
                f"iam.image_repository_arns[{index}] is {arn!r}; allowed: {allowed('iam.image_repository_arns')}; "
                "fix: look it up with aws ecr describe-repositories"
            )


def _illegal_alarms(settings: EnvironmentSettings) -> Iterator[str]:
    alarms = settings.alarms
    for index, email in enumerate(alarms.emails):
        if not _is_legal("alarms.emails", email):
            yield f"alarms.emails[{index}] is {email!r}; allowed: {allowed('alarms.emails')}; fix: correct the address"
    if alarms.topic_arn is None:
        return
    if alarms.emails:
        yield (
            "alarms.emails is given with alarms.topic_arn; allowed: one of them, since a topic that is there has "
            "subscribers of its own; fix: subscribe the addresses to it, or leave the topic out"
        )
    region = alarms.topic_arn.split(":")[3:4]
    if settings.region is not None and _is_legal("alarms.topic_arn", alarms.topic_arn) and region != [settings.region]:
        yield (
            f"alarms.topic_arn is {alarms.topic_arn!r}; allowed: a topic in {settings.region}, where the alarms are; "
            "fix: give one of that Region"
        )


def _illegal_preload(lustre: LustreSettings) -> Iterator[str]:
    preload = lustre.preload
    if preload is None:
        return
    # imports much of the job side, which nobody needs who has switched it off
    from headrace.figures.lustre_content import MAX_READERS

    given = {"lustre.preload.image": preload.image, "lustre.preload.instance_type": preload.instance_type}
    for key, value in given.items():
        if value is not None and not _is_legal(key, value):
            yield f"{key} is {value!r}; allowed: {allowed(key)}; fix: correct the value"
    if preload.readers is not None and not 1 <= preload.readers <= MAX_READERS:
        yield f"lustre.preload.readers is {preload.readers}; allowed: 1 to {MAX_READERS}; fix: null, or fewer"
    if not lustre.links:
        yield "lustre.preload is given and lustre.links is empty; allowed: at least one link; fix: add one"


def _illegal_bucket(settings: EnvironmentSettings) -> Iterator[str]:
    bucket = settings.bucket
    if bucket.adopt is not None and (rule := bucket_rule_broken(bucket.adopt)):
        yield f"bucket.adopt is {bucket.adopt!r}; allowed: {rule}; fix: the name of the bucket that was kept"
    days = bucket.noncurrent_version_days
    if days is not None and days < 0:
        yield f"bucket.noncurrent_version_days is {days}; allowed: 1 or more, or 0 to keep all; fix: give days"
    if settings.kms_key == "new" and bucket.adopt is not None:
        yield (
            "kms_key is 'new'; allowed: the key that the adopted bucket has; "
            "fix: its ARN (the earlier deployment kept it), or aws if it has none"
        )


def _illegal_suppressions(suppressions: Sequence[SuppressionSettings]) -> Iterator[str]:
    for each in suppressions:
        if each.rule_id not in CATALOGUE:
            yield (
                f"suppressions has rule_id {each.rule_id!r}; allowed: an id of docs/rules.md; "
                "fix: the id that the finding begins with"
            )
        if not each.reason.strip():
            yield f"suppressions has no reason for {each.rule_id!r}; allowed: a reason; fix: say why it does not apply"
