"""What a platform that is to be destroyed is used for: file systems that live, flows that run, jobs that mount.

The machines that take ephemeral file systems down go with the platform's stacks, and its subnets cannot go while a
file system is in them: who destroys first would leave both behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from headrace import launch
from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.errors import InvalidInput
from headrace.platform import OWNER_TAG, PLATFORM_TAG, Platform, parameter_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One thing that the platform is used for. ``what``: kind and name; ``state``: AWS's word; ``fix``: a command."""

    what: str
    state: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what} is {self.state}; fix: {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Everything that stands against destroying a platform. ``has_record``: something of it is deployed here."""

    has_record: bool
    found: tuple[Use, ...]


def uses(aws: Aws, platform: str | None = None) -> Uses:
    """What the platform is used for. Raises InvalidInput for what is no name, AwsError when a call fails."""
    name = launch.platform_name(platform)
    # a record that cannot be read is an error, and not a platform that is not there
    has_record = bool(aws.account.parameters_below(parameter_path(name)))
    found = _ephemeral(aws, name)
    if has_record:
        deployed = launch.read_platform(aws, name)
        found += _running_flows(aws, deployed, found) + _mounting_jobs(aws, deployed)
    return Uses(has_record=has_record, found=tuple(found))


def require_account(aws: Aws, account: str) -> None:
    """Raises InvalidInput when these credentials are of another account."""
    if (actual := aws.account.number()) != account:
        raise InvalidInput(
            f"--account is {account!r}; allowed: {actual}, the account of these credentials; "
            f"fix: log in to account {account}, or set AWS_PROFILE"
        )


def _ephemeral(aws: Aws, platform_name: str) -> list[Use]:
    # by their tags: they may have outlived the platform's record
    return [
        Use(
            what=f"ephemeral file system {each.file_system_id} of {each.tags[OWNER_TAG].rpartition(':')[2]}",
            state=each.lifecycle,
            fix=f"headrace stop {each.tags[OWNER_TAG].rpartition(':')[2]}, or wait for its end",
        )
        for each in aws.file_systems.lustres({PLATFORM_TAG: platform_name, OWNER_TAG: ""})
    ]


def _running_flows(aws: Aws, platform: Platform, found: list[Use]) -> list[Use]:
    if platform.ephemeral is None:
        return []
    running = aws.executions.running(platform.ephemeral.machine_arn)
    names = [arn.rpartition(":")[2] for arn in running]
    # a flow whose file system is there is told with it
    alone = [name for name in names if not any(each.what.endswith(f" of {name}") for each in found)]
    return [
        Use(what=f"flow {name}", state="RUNNING", fix=f"headrace stop {name}, or wait for its end") for name in alone
    ]


def _mounting_jobs(aws: Aws, platform: Platform) -> list[Use]:
    if platform.lustre is None:
        return []
    shared = platform.lustre.file_system_id
    found = [_mounting_job(aws, name, shared) for name in aws.training_jobs.active_names()]
    return [each for each in found if each is not None]


def _mounting_job(aws: Aws, name: str, shared: str) -> Use | None:
    try:
        job = aws.training_jobs.describe(name)
    except AccessDenied:
        return Use(
            what=f"training job {name}, which may mount the shared file system {shared},",
            state="not to be looked at",
            fix="sagemaker:DescribeTrainingJob on all training jobs, for whoever destroys: the user policy gives it on "
            "the platform's own; or wait for its end",
        )
    if shared not in job.file_system_ids or job.is_over:
        return None
    return Use(
        what=f"training job {job.name}, which mounts the shared file system {shared},",
        state=job.status,
        fix=f"headrace stop --wait {job.name}, or wait for its end",
    )
