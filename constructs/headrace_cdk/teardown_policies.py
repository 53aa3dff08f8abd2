"""What only the teardown machine may do: stop, cancel, and delete."""

from __future__ import annotations

from headrace.platform import PLATFORM_TAG

from headrace_cdk.machine_policies import MADE_LATER, tagged
from headrace_cdk.policies import Place, Statement, allow


def take_down(place: Place, platform: str, flow: str, job_name_prefix: str) -> list[Statement]:
    """Stop the platform's jobs, cancel the tasks of its ephemeral file systems, delete these and nothing else."""
    ours = tagged("aws:ResourceTag", platform, flow)
    return [
        allow(
            "StopJobs",
            ["sagemaker:StopTrainingJob"],
            [place.arn("sagemaker", f"training-job/{job_name_prefix}*")],
            why_wildcard="jobs are made later; the platform's prefix bounds their names",
        ),
        allow(
            "CancelOurs",
            ["fsx:CancelDataRepositoryTask"],
            [place.arn("fsx", "task/*")],
            {"StringEquals": {f"aws:ResourceTag/{PLATFORM_TAG}": platform}},
            why_wildcard="tasks are made later; their tag bounds them",
        ),
        allow(
            "DeleteOurs",
            ["fsx:DeleteFileSystem"],
            [place.arn("fsx", "file-system/*")],
            ours,
            why_wildcard=MADE_LATER,
        ),
    ]
