"""What a platform that is to be destroyed is used for."""

from __future__ import annotations

from typing import Any

import pytest
from headrace.ephemeral import in_use
from headrace.execution_history import execution_arn

from tests.flow_records import (
    ARN,
    EPHEMERAL_PLATFORM,
    NAME,
    PART,
    FakeAws,
    a_job,
    a_lustre,
    execution,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


def test_a_platform_in_use_is_told_with_everything_that_uses_it() -> None:
    """Ephemeral file systems, flows that have none yet, and jobs on the shared one."""
    aws: Any = FakeAws()
    aws.lists = [[a_lustre()]]
    other = execution_arn(PART.machine_arn, "early")
    aws.others = {arn: execution(arn=arn) for arn in (ARN, other)}
    shared = EPHEMERAL_PLATFORM.lustre
    assert shared is not None
    aws.jobs = {
        "user": a_job("user", "InProgress", shared.file_system_id),
        "other": a_job("other", "InProgress"),
        "over": a_job("over", "Completed", shared.file_system_id),
    }
    assert [str(each) for each in in_use.uses(aws, "dev").found] == [
        f"ephemeral file system fs-1 of {NAME} is AVAILABLE; fix: headrace stop {NAME}, or wait for its end",
        "flow early is RUNNING; fix: headrace stop early, or wait for its end",
        f"training job user, which mounts the shared file system {shared.file_system_id}, is InProgress; "
        "fix: headrace stop --wait user, or wait for its end",
    ]


def test_a_platform_that_is_not_there_is_used_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless file systems have outlived it."""
    aws: Any = FakeAws()
    monkeypatch.setattr(aws, "parameters_below", lambda _path: {})
    assert in_use.uses(aws, "dev") == in_use.Uses(has_record=False, found=())
    aws.lists = [[a_lustre()]]
    assert len(in_use.uses(aws, "dev").found) == 1


def test_a_job_that_may_not_be_looked_at_may_mount_the_shared_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the policy of users gives no right to look: what is told is the right that does."""
    from headrace.aws.connection import AccessDenied

    def denied(name: str) -> Any:
        raise AccessDenied(f"{name}: no; ask for the platform's user policy", "sagemaker:DescribeTrainingJob")

    aws: Any = FakeAws()
    aws.jobs = {"theirs": a_job("theirs", "InProgress")}
    monkeypatch.setattr(aws, "describe", denied)
    (use,) = in_use.uses(aws, "dev").found
    assert (use.what.split(",")[0], use.state) == ("training job theirs", "not to be looked at")
    assert use.fix.startswith("sagemaker:DescribeTrainingJob on all training jobs")
