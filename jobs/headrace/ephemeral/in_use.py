"""What a platform that is to be destroyed is used for: file systems that live, flows that run, jobs that mount.

The machines that take ephemeral file systems down go with the platform's stacks, and its subnets cannot go while a
file system is in them: who destroys first would leave both behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from headrace.aws import Aws
from headrace.execution_history import ExecutionStatus
from headrace.launch import read_platform
from headrace.platform import OWNER_TAG, PLATFORM_TAG, Platform, parameter_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One thing that the platform is used for. ``what``: kind and name; ``state``: AWS's word; ``fix``: a command."""

    what: str
    state: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what} is {self.state}; fix: {self.fix}"


def uses(aws: Aws, platform_name: str) -> list[Use]:
    """Everything that stands against destroying the platform; nothing where it is not deployed. Raises AwsError."""
    platform = _platform(aws, platform_name)
    found = _ephemeral(aws, platform_name)
    if platform is not None:
        found += _running_flows(aws, platform, found) + _mounting_jobs(aws, platform)
    return found


def _platform(aws: Aws, name: str) -> Platform | None:
    # a record that cannot be read is an error, and not a platform that is not there
    return read_platform(aws, name) if aws.account.parameters_below(parameter_path(name)) else None


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
    running = aws.executions.newest(platform.ephemeral.machine_arn, ExecutionStatus.RUNNING)
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
    return [
        Use(
            what=f"training job {job.name}, which mounts the shared file system {shared},",
            state=job.status,
            fix=f"headrace stop --wait {job.name}, or wait for its end",
        )
        for job in map(aws.training_jobs.describe, aws.training_jobs.active_names())
        if shared in job.file_system_ids and not job.is_over
    ]
