"""What a platform that is to be destroyed is used for: file systems that live, flows that run, jobs that mount.

The machines that take ephemeral file systems down go with the platform's stacks, and its subnets cannot go while a
file system is in them: who destroys first would leave both behind.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from headrace import launch
from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.aws.file_systems import LustreListing
from headrace.ephemeral import teardown
from headrace.errors import InvalidInput
from headrace.execution_history import execution_arn, name_of
from headrace.platform import OWNER_TAG, PLATFORM_TAG, EphemeralPart, Platform, parameter_path


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
    if not has_record:
        return Uses(has_record=False, found=tuple(_ephemeral(aws, name, None)))
    deployed = launch.read_platform(aws, name)
    found = _ephemeral(aws, name, deployed.ephemeral)
    found += _running_flows(aws, deployed, found) + _mounting_jobs(aws, deployed)
    return Uses(has_record=True, found=tuple(found))


def require_account(aws: Aws, account: str) -> None:
    """Raises InvalidInput when these credentials are of another account."""
    if (actual := aws.account.number()) != account:
        raise InvalidInput(
            f"--account is {account!r}; allowed: {actual}, the account of these credentials; "
            f"fix: log in to account {account}, or set AWS_PROFILE"
        )


def _ephemeral(aws: Aws, platform_name: str, part: EphemeralPart | None) -> list[Use]:
    # by their tags: they may have outlived the platform's record
    return [
        Use(
            what=f"ephemeral file system {each.file_system_id} of {name_of(each.tags[OWNER_TAG])}",
            state=each.lifecycle,
            fix=_fix(aws, part, each),
        )
        for each in aws.file_systems.lustres({PLATFORM_TAG: platform_name, OWNER_TAG: ""})
    ]


def _fix(aws: Aws, part: EphemeralPart | None, lustre: LustreListing) -> str:
    owner, name = lustre.tags[OWNER_TAG], name_of(lustre.tags[OWNER_TAG])
    by_hand = f"aws fsx delete-file-system --file-system-id {lustre.file_system_id}, if nobody needs it"
    if part is None:
        return f"{by_hand}: the machines that would delete it are not there"
    if lustre.lifecycle == "DELETING":
        return "wait until it is gone"
    if owner == execution_arn(part.machine_arn, name):
        with suppress(AccessDenied):
            execution = aws.executions.describe(owner)
            if execution is not None and teardown.was_made_by(execution, lustre):
                return f"headrace stop {name}{'' if execution.is_over else ', or wait for its end'}"
    return f"{by_hand}: it is no flow's by its tags; headrace reap --dry-run says whether the reaper takes it"


def _running_flows(aws: Aws, platform: Platform, found: list[Use]) -> list[Use]:
    if platform.ephemeral is None:
        return []
    running = aws.executions.running(platform.ephemeral.machine_arn)
    names = [name_of(arn) for arn in running]
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
