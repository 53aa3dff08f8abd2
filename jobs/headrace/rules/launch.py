"""Rules of a launch: is its name free, do its role and image exist, is its request one that the service takes.

They look at a :class:`LaunchSpec`: what the job asks for, and the facts of the live account about it. A fact that
was not looked up is UNKNOWN, so the same rules serve a plan without an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from headrace.rules.finding import UNKNOWN, Finding, Rule, Unknown, rule
from headrace.rules.values import finding, finding_in_words, shown

_BASE_NAME: Final = re.compile("[a-zA-Z0-9-]+")
_FIELD_OF_MEMBER: Final[Mapping[str, str]] = {
    "TrainingJobName": "job_name",
    "AlgorithmSpecification.TrainingImage": "image",
    "AlgorithmSpecification.ContainerEntrypoint": "entry_point or command",
    "AlgorithmSpecification.ContainerArguments": "arguments",
    "AlgorithmSpecification.MetricDefinitions": "metric_definitions",
    "RoleArn": "role_arn",
    "InputDataConfig": "channels",
    "OutputDataConfig.S3OutputPath": "output",
    "OutputDataConfig.KmsKeyId": "output_kms_key",
    "ResourceConfig.InstanceType": "instance_type or capacity_retry.instance_types",
    "ResourceConfig.InstanceCount": "instance_count",
    "ResourceConfig.InstanceGroups": "instance_groups",
    "ResourceConfig.VolumeSizeInGB": "volume_size_gb",
    "ResourceConfig.VolumeKmsKeyId": "volume_kms_key",
    "ResourceConfig.KeepAlivePeriodInSeconds": "keep_alive_seconds",
    "StoppingCondition.MaxRuntimeInSeconds": "max_runtime_seconds",
    "StoppingCondition.MaxWaitTimeInSeconds": "spot.max_wait_seconds",
    "StoppingCondition.MaxPendingTimeInSeconds": "max_pending_seconds",
    "CheckpointConfig.S3Uri": "checkpoints.s3",
    "CheckpointConfig.LocalPath": "checkpoints.local_path",
    "RetryStrategy": "internal_error_retries",
    "HyperParameters": "hyperparameters",
    "Environment": "environment",
    "Tags": "tags",
}
"""Member of the request -> field of the job file that says it."""


class NamingSpec(NamedTuple):
    """How a job file names its job. ``most_characters``: what prefix and time leave for the base name."""

    job_name: str | None
    base_job_name: str | None
    most_characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """A launch.

    ``written``: field, URI and folder of the platform's ``bucket`` for what the job writes. ``request_violations``:
    what the service's model forbids in the request: member, value, what is allowed. ``has_own_role``: the job brings
    a role of its own; ``role_arn`` is empty where the platform has none for it. ``names_in_use``: of the job's name
    and those of its further attempts.
    """

    job_name: str
    job_name_prefix: str
    written: tuple[tuple[str, str, str], ...] = ()
    bucket: str
    role_arn: str
    has_own_role: bool
    image: str
    request_violations: tuple[tuple[str, str, str], ...]
    names_in_use: tuple[str, ...] | Unknown = UNKNOWN
    role_exists: bool | Unknown = UNKNOWN
    image_exists: bool | Unknown = UNKNOWN


@rule("V59")
def name_in_scope(spec: LaunchSpec) -> Iterator[Finding]:
    """The platform's roles trust only jobs whose name begins with its prefix."""
    if not spec.has_own_role and not spec.job_name.startswith(spec.job_name_prefix):
        yield finding_in_words(
            "V59",
            "job_name",
            repr(spec.job_name),
            f"a name that begins with {spec.job_name_prefix!r}, since the platform's roles trust only those",
            f"{spec.job_name_prefix}{spec.job_name}, or base_job_name instead of job_name",
        )


@rule("V135")
def job_has_one_name(spec: NamingSpec) -> Iterator[Finding]:
    """A job file gives an exact name, or a base name that stays legal with the platform's prefix and the time."""
    exact, base = spec.job_name, spec.base_job_name
    if (exact is None) == (base is None):
        given = None if exact is None else f"{exact} beside base_job_name {base}"
        yield finding("V135", "job_name", given, "exactly one of job_name and base_job_name", "give one of the two")
    elif base is not None and (len(base) > spec.most_characters or not _BASE_NAME.fullmatch(base)):
        allowed = (
            f"up to {spec.most_characters} characters, since the platform's prefix and the time are added, of letters, "
            "digits and hyphens"
        )
        yield finding("V135", "base_job_name", base, allowed, "shorten it, or write it with these")


@rule("V84", "names_in_use")
def names_are_free(spec: LaunchSpec) -> Iterator[Finding]:
    """Names of training jobs are unique in an account and Region for ever; each attempt takes one."""
    assert isinstance(spec.names_in_use, tuple)
    for name in spec.names_in_use:
        allowed = "a name that no job has or had"
        if name != spec.job_name:
            allowed = f"{allowed}, as of each further attempt of capacity_retry"
        yield finding("V84", "job_name", name, allowed, "choose another, or use base_job_name, which adds the time")


@rule("V83", "image_exists")
def image_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The image exists in ECR."""
    if not spec.image_exists:
        yield finding_in_words(
            "V83",
            "image",
            shown(spec.image),
            "an image in Amazon ECR: account.dkr.ecr.region.amazonaws.com/repository:tag",
            "push the image, or correct its account, Region, repository or tag",
        )


@rule("V82", "role_exists")
def role_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The execution role exists."""
    if spec.role_exists:
        return
    if spec.has_own_role:
        fix = "correct it, or leave it out for the platform's role"
        yield finding("V82", "role_arn", spec.role_arn, "a role that exists", fix)
    elif spec.role_arn:
        allowed = "a role that exists; this is the platform's own"
        yield finding("V82", "role_arn", spec.role_arn, allowed, "deploy the platform again, or bring another role")


@rule("V127")
def location_is_writable(spec: LaunchSpec) -> Iterator[Finding]:
    """The role writes the model below output/, and checkpoints below checkpoints/, of the platform's bucket."""
    for field, uri, folder in spec.written:
        allowed = f"s3://{spec.bucket}/{folder}"
        if not spec.has_own_role and not f"{uri.rstrip('/')}/".startswith(allowed):
            fix = f"write {folder}…, or bring a role that may write elsewhere (role_arn)"
            yield finding_in_words("V127", field, uri, f"below {allowed}, where the platform's roles may write", fix)


@rule("V85")
def request_fits_service_model(spec: LaunchSpec) -> Iterator[Finding]:
    """The request is one that the service's own model accepts."""
    for member, got, allowed in spec.request_violations:
        field = next((name for start, name in _FIELD_OF_MEMBER.items() if _is_part_of(member, start)), None)
        fix = f"change {field or 'the job'} accordingly ({member} of the request)"
        yield finding_in_words("V85", field or member, got, allowed, fix)


def _is_part_of(member: str, start: str) -> bool:
    # a part goes on with a dot, an index, or the words " key …" of a map
    return member.startswith(start) and member[len(start) :][:1] in ("", ".", "[", " ")


NAMING_RULES: tuple[Rule[Any], ...] = (job_has_one_name,)
"""Rules of one :class:`NamingSpec`."""

LAUNCH_RULES: tuple[Rule[Any], ...] = (
    name_in_scope,
    names_are_free,
    image_is_there,
    role_is_there,
    location_is_writable,
    request_fits_service_model,
)
"""Rules of one :class:`LaunchSpec`."""
