"""Rules of a launch: is its name free, do its role and image exist, is its request one that the service takes.

They look at a :class:`LaunchSpec`: what the job asks for, and the facts of the live account about it. A fact that
was not looked up is UNKNOWN, so the same rules serve a plan without an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.finding import UNKNOWN, Finding, Rule, Unknown, rule
from headrace.rules.values import finding_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """A launch.

    ``written``: field, URI and folder of the platform's ``bucket`` for what the job writes. ``request_violations``:
    what the service's model forbids in the request: member, value, what is allowed. ``has_own_role``: the job brings
    a role of its own.
    """

    job_name: str
    job_name_prefix: str
    written: tuple[tuple[str, str, str], ...] = ()
    bucket: str
    role_arn: str
    has_own_role: bool
    image: str
    request_violations: tuple[tuple[str, str, str], ...]
    is_name_in_use: bool | Unknown = UNKNOWN
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


@rule("V84", "is_name_in_use")
def name_is_free(spec: LaunchSpec) -> Iterator[Finding]:
    """Names of training jobs are unique in an account and Region for ever."""
    if spec.is_name_in_use:
        yield finding_in_words(
            "V84",
            "job_name",
            repr(spec.job_name),
            "a name that no job has or had",
            "choose another, or use base_job_name, which adds the time",
        )


@rule("V83", "image_exists")
def image_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The image exists in ECR."""
    if not spec.image_exists:
        yield finding_in_words(
            "V83",
            "image",
            spec.image,
            "an image in Amazon ECR: account.dkr.ecr.region.amazonaws.com/repository:tag",
            "push the image, or correct its account, Region, repository or tag",
        )


@rule("V82", "role_exists")
def role_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The execution role exists."""
    if not spec.role_exists:
        yield finding_in_words(
            "V82",
            "role_arn",
            spec.role_arn,
            "a role that exists",
            "correct it, or leave it out for the platform's role",
        )


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
        yield finding_in_words("V85", member, got, allowed, "change the job file accordingly")


LAUNCH_RULES: tuple[Rule[Any], ...] = (
    name_in_scope,
    name_is_free,
    image_is_there,
    role_is_there,
    location_is_writable,
    request_fits_service_model,
)
"""Rules of one :class:`LaunchSpec`."""
