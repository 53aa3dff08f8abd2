"""What a person may do with Lustre beside launching jobs: run the machines, preload, release.

Sources: the calls in :mod:`headrace.aws`; Service Authorization Reference, "Amazon FSx", "AWS Step Functions" and
"Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Sequence

from headrace_cdk.machine_policies import count_clients
from headrace_cdk.policies import Place, Statement, allow


def run_machines(place: Place, flow: str, others: Sequence[str]) -> list[Statement]:
    """Start state machines and follow their executions; stop the flow's, which its teardown follows, and no others."""
    machines = (flow, *others)
    executions = [place.arn("states", f"execution:{name}:*") for name in machines]
    of_ours = "executions of the platform's machines"
    return [
        allow(
            "StartMachines",
            ["states:ListExecutions", "states:StartExecution"],
            [place.arn("states", f"stateMachine:{name}") for name in machines],
        ),
        allow(
            "FollowMachines",
            ["states:DescribeExecution", "states:GetExecutionHistory"],
            executions,
            why_wildcard=of_ours,
        ),
        allow("StopTheFlow", ["states:StopExecution"], executions[:1], why_wildcard=of_ours),
    ]


def judge_file_systems() -> list[Statement]:
    """See whether an ephemeral file system has clients.

    Not which jobs of other people mount it: descriptions of these tell their hyperparameters. Who has to judge what the
    reaper would do (``headrace reap --dry-run``) looks at every job of the account, with rights of their own.
    """
    return count_clients()


def release_room(place: Place, file_system_id: str) -> list[Statement]:
    """Have FSx free the room of files that lie in S3, by a task on this one file system.

    No condition tells one kind of task from another: with this right goes that to export to the linked buckets what was
    written to the file system. Who shall never write to them gets no such statement.
    """
    return [
        allow(
            "ReleaseRoom",
            ["fsx:CreateDataRepositoryTask"],
            [place.arn("fsx", f"file-system/{file_system_id}"), place.arn("fsx", "task/*")],
            why_wildcard="a task has no id before it is made; its file system bounds it",
        )
    ]


def follow_lustre_tasks() -> list[Statement]:
    """Wait for an import before a preload, compare with it afterwards, and follow a release."""
    return [
        allow(
            "FollowLustreTasks",
            ["fsx:DescribeDataRepositoryTasks"],
            ["*"],
            why_wildcard="tasks are made later, and it only looks",
        )
    ]
