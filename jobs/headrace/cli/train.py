"""``headrace train``: launch the job of a job file, or show what would be launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.findings import Ignore, suppressions_of
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.job_description import JobDescription
    from headrace.planning import LaunchPlan

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
    ignored: Ignore = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace import job_file, launch, planning
    from headrace.aws import Aws

    suppressions = suppressions_of(ignored)
    job = job_file.load(path)
    aws = Aws(region)
    plan = planning.plan(job, launch.read_platform(aws, platform), suppressions=suppressions)
    _narrate(f"checking {plan.job.name} on platform {plan.foundation.platform} ({aws.region})")
    for finding in launch.check(plan, aws, suppressions):
        _narrate(without_controls(str(finding)))
    if dry_run:
        _show_request(plan)
    elif wait:
        _run_to_end(plan, aws, as_json)
    else:
        _submit(plan, aws, as_json)


def _narrate(line: str) -> None:
    typer.echo(line, err=True)


def _show_request(plan: LaunchPlan) -> None:
    if plan.upload_to is not None:
        _narrate(f"would upload {plan.job.source_dir} to {plan.upload_to.uri}")
    _narrate("would call sagemaker:CreateTrainingJob with")
    typer.echo(json.dumps(plan.request, indent=2))


def _submit(plan: LaunchPlan, aws: Aws, as_json: bool) -> None:
    from headrace import launch

    if len(plan.attempts) > 1:
        _narrate("capacity_retry needs --wait; without it the first of the attempts is made, and no other")
    arn = launch.submit(plan, aws)
    _narrate(f"created {arn}")
    typer.echo(json.dumps({"name": plan.job.name, "arn": arn}) if as_json else plan.job.name)


def _run_to_end(plan: LaunchPlan, aws: Aws, as_json: bool) -> None:
    from headrace import launch
    from headrace.cli import job_view
    from headrace.errors import JobFailed

    try:
        job = job_view.follow(launch.run(plan, aws))
    except KeyboardInterrupt:
        _narrate(f"the job goes on: headrace status {plan.job.name}")
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
