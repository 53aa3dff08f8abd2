"""``headrace train``: launch the job of a job file, or show what would be launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.job_description import JobDescription
    from headrace.launch import LaunchPlan

HELP = (
    "Launch the training job of JOB_FILE on a deployed platform.\n\n"
    "Checks first that everything named in it exists and may be read; a mistake costs nothing. "
    "Prints the job's name."
)


def train(
    path: Annotated[Path, typer.Argument(metavar="JOB_FILE", help="The job, as YAML.")],
    platform: Annotated[
        str | None,
        typer.Option(help="Name of the deployed platform. [default: dev]", envvar="HEADRACE_PLATFORM"),
    ] = None,
    region: Annotated[str | None, typer.Option(help="AWS Region. [default: that of your AWS settings]")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, print the exact request, create nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show phases and log until the job has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace import job_file, launch
    from headrace.aws import Aws

    job = job_file.load(path)
    aws = Aws(region)
    plan = launch.plan(job, launch.read_platform(aws, platform))
    _narrate(f"checking {plan.job.name} on platform {plan.foundation.platform} ({aws.region})")
    for finding in launch.check(plan, aws):
        _narrate(str(finding))
    if dry_run:
        _show_request(plan)
        return
    arn = launch.submit(plan, aws)
    _narrate(f"created {arn}")
    if wait:
        _wait(plan, aws, as_json)
    else:
        typer.echo(json.dumps({"name": plan.job.name, "arn": arn}) if as_json else plan.job.name)


def _narrate(line: str) -> None:
    typer.echo(line, err=True)


def _show_request(plan: LaunchPlan) -> None:
    if plan.upload_to is not None:
        _narrate(f"would upload {plan.job.source_dir} to {plan.upload_to.uri}")
    _narrate("would call sagemaker:CreateTrainingJob with")
    typer.echo(json.dumps(plan.request, indent=2))


def _wait(plan: LaunchPlan, aws: Aws, as_json: bool) -> None:
    from headrace.cli import job_view
    from headrace.errors import JobFailed

    try:
        job = job_view.follow(aws, plan.job.name)
    except KeyboardInterrupt:
        _narrate(f"the job goes on: {plan.job.name}")
        raise
    typer.echo(json.dumps(summary(job)) if as_json else job_view.summary_text(job))
    if job.status != "Completed":
        raise JobFailed(f"{job.name}: {job.status}: {' '.join((job.failure_reason or 'no reason given').split())}")


def summary(job: JobDescription) -> dict[str, Any]:
    """What ``--json`` prints of a job that has ended; seconds are whole-job wall times per phase."""
    return {
        "name": job.name,
        "arn": job.arn,
        "status": job.status,
        "failure_reason": job.failure_reason,
        "model_artifact_uri": job.model_artifact_uri,
        "metrics": dict(job.metrics),
        "phases": [{"status": phase.status, "seconds": phase.seconds} for phase in job.transitions],
        "training_seconds": job.training_seconds,
        "billable_seconds": job.billable_seconds,
        "instance_count": job.instance_count,
    }
