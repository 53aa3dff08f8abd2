"""Rules of a launch: is everything there that the job names, may its role reach it, is its name free.

They look at a :class:`LaunchSpec`: what the job asks for, and the facts of the live account about it. A fact that
was not looked up is UNKNOWN, so the same rules serve a dry run without an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.finding import UNKNOWN, Finding, Level, Rule, Unknown, rule

MAX_CHANNELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel and what is known of its location.

    ``is_readable``: it lies below one of the platform's data locations. ``bucket_region`` is None when there is no
    such bucket.
    """

    name: str
    bucket: str
    prefix: str
    is_readable: bool
    bucket_region: str | Unknown | None = UNKNOWN
    has_objects: bool | Unknown = UNKNOWN

    @property
    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """A launch. ``readable_locations``: the platform's data locations as URIs. ``request_violations``: what the
    service's model forbids in the request, one line each. ``has_own_role``: the job brings a role of its own."""

    job_name: str
    job_name_prefix: str
    region: str
    channels: tuple[ChannelSpec, ...]
    readable_locations: tuple[str, ...]
    role_arn: str
    has_own_role: bool
    image: str
    request_violations: tuple[tuple[str, str, str], ...]
    is_name_in_use: bool | Unknown = UNKNOWN
    role_exists: bool | Unknown = UNKNOWN
    image_exists: bool | Unknown = UNKNOWN


@rule("V19")
def bucket_exists(spec: LaunchSpec) -> Iterator[Finding]:
    """Every channel's bucket exists."""
    for channel in spec.channels:
        if channel.bucket_region is None:
            yield _error(
                "V19",
                f"channels.{channel.name}.s3",
                channel.uri,
                "a bucket that exists",
                f"create bucket {channel.bucket!r}, or correct its name",
            )


@rule("V51")
def channel_count(spec: LaunchSpec) -> Iterator[Finding]:
    """A job has 1 to 20 channels, the code's own included."""
    if not 1 <= len(spec.channels) <= MAX_CHANNELS:
        yield _error(
            "V51",
            "channels",
            f"{len(spec.channels)} channels",
            f"1 to {MAX_CHANNELS}",
            "join prefixes into one channel",
        )


@rule("V54")
def same_region(spec: LaunchSpec) -> Iterator[Finding]:
    """Every channel's bucket is in the job's Region."""
    for channel in spec.channels:
        region = channel.bucket_region
        if isinstance(region, str) and region != spec.region:
            yield _error(
                "V54",
                f"channels.{channel.name}.s3",
                f"{channel.uri} in {region}",
                f"a bucket in the job's Region, {spec.region}",
                f"copy the data to a bucket in {spec.region}, or launch in {region}",
            )


@rule("V59")
def name_in_scope(spec: LaunchSpec) -> Iterator[Finding]:
    """The platform's roles trust only jobs whose name begins with its prefix."""
    if not spec.has_own_role and not spec.job_name.startswith(spec.job_name_prefix):
        yield _error(
            "V59",
            "job_name",
            repr(spec.job_name),
            f"a name that begins with {spec.job_name_prefix!r}, since the platform's roles trust only those",
            f"{spec.job_name_prefix}{spec.job_name}, or base_job_name instead of job_name",
        )


@rule("V80")
def prefix_has_objects(spec: LaunchSpec) -> Iterator[Finding]:
    """A channel without objects fails the job after its start."""
    for channel in spec.channels:
        if channel.has_objects is False:
            yield _error(
                "V80",
                f"channels.{channel.name}.s3",
                channel.uri,
                "a prefix with at least one object",
                "upload the data, or correct the prefix (it is matched letter by letter)",
            )


@rule("V81")
def location_is_readable(spec: LaunchSpec) -> Iterator[Finding]:
    """The role reads the platform's data locations and nothing else."""
    for channel in spec.channels:
        if not spec.has_own_role and not channel.is_readable:
            yield _error(
                "V81",
                f"channels.{channel.name}.s3",
                channel.uri,
                f"below {', '.join(spec.readable_locations)}",
                "move the data there, or declare it as a data location in the platform's settings and deploy",
            )


@rule("V82", "role_exists")
def role_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The execution role exists."""
    if not spec.role_exists:
        yield _error(
            "V82",
            "role_arn",
            spec.role_arn,
            "a role that exists",
            "correct it, or leave it out for the platform's role",
        )


@rule("V83", "image_exists")
def image_is_there(spec: LaunchSpec) -> Iterator[Finding]:
    """The image exists in ECR."""
    if not spec.image_exists:
        yield _error(
            "V83",
            "image",
            spec.image,
            "an image in Amazon ECR: account.dkr.ecr.region.amazonaws.com/repository:tag",
            "push the image, or correct its account, Region, repository or tag",
        )


@rule("V84", "is_name_in_use")
def name_is_free(spec: LaunchSpec) -> Iterator[Finding]:
    """Names of training jobs are unique in an account and Region for ever."""
    if spec.is_name_in_use:
        yield _error(
            "V84",
            "job_name",
            repr(spec.job_name),
            "a name that no job has or had",
            "choose another, or use base_job_name, which adds the time",
        )


@rule("V85")
def request_fits_service_model(spec: LaunchSpec) -> Iterator[Finding]:
    """The request is one that the service's own model accepts."""
    for member, got, allowed in spec.request_violations:
        yield _error("V85", member, got, allowed, "change the job file accordingly")


def _error(rule_id: str, field: str, got: str, allowed: str, fix: str) -> Finding:
    return Finding(rule_id=rule_id, level=Level.ERROR, field=field, got=got, allowed=allowed, fix=fix)


LAUNCH_RULES: tuple[Rule[Any], ...] = (
    name_in_scope,
    name_is_free,
    image_is_there,
    role_is_there,
    channel_count,
    location_is_readable,
    bucket_exists,
    same_region,
    prefix_has_objects,
    request_fits_service_model,
)
