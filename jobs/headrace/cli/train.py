"""``headrace train``: launch the job of a job file, or show what would be launched."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.findings import Ignore, suppressions_of
from headrace.cli.options import JobFilePath, PlatformName, Region
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.planning import LaunchPlan

HELP = (
    "Launch the training job of JOB_FILE on a deployed platform.\n\n"
    "Checks first that everything named in it exists and may be read; a mistake costs nothing. "
    "Prints the job's name, or how it ended where it was waited for. With --ephemeral that is the name of the flow, "
    "too, for status and stop; its stages are shown until its end unless --no-wait is given."
)


def train(
    path: JobFilePath,
    platform: PlatformName = None,
    region: Region = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, print the exact request, create nothing.")
    ] = False,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="Show phases and log until the job has ended. [default: only with --ephemeral]",
            show_default=False,
        ),
    ] = None,
    ephemeral: Annotated[
        bool,
        typer.Option(
            "--ephemeral", help="Make a Lustre file system for this job, and delete it after it; with Lustre channels."
        ),
    ] = False,
    ignored: Ignore = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace import job_file, launch, planning
    from headrace.aws import Aws

    suppressions = suppressions_of(ignored)
    job = job_file.load(path)
    aws = Aws(region)
    if ephemeral:
        from headrace.cli import train_ephemeral

        is_awaited = wait is not False
        train_ephemeral.train(job, aws, platform, suppressions, dry_run=dry_run, wait=is_awaited, as_json=as_json)
        return
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

    created: list[str] = []
    try:
        with closing(launch.run(plan, aws, created.append)) as events:
            job = job_view.follow(events, plan.job.total_instances)
    except KeyboardInterrupt:
        if created:
            _narrate(f"the job goes on: headrace status {created[-1]}")
        raise
    typer.echo(json.dumps(job_view.plain(job, datetime.now(UTC))) if as_json else job_view.summary_text(job))
    job.require_completed()
