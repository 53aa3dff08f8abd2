"""``headrace stop``: stop training jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import Region

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.job_description import JobDescription

HELP = (
    "Stop training jobs; one that has ended already is left as it is.\n\n"
    "The script gets SIGTERM and 120 seconds, and what it has written to /opt/ml/model is kept. "
    "When one of the names is no job's, none is stopped."
)


def stop(
    names: Annotated[list[str], typer.Argument(metavar="JOB", help="Names of the training jobs.")],
    wait: Annotated[bool, typer.Option("--wait", help="Come back when the jobs have ended.")] = False,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON: a list of jobs.")] = False,
) -> None:
    from headrace.aws import Aws

    aws = Aws(region)
    aws.training_jobs.describe_all(names)
    was_asked = {name: aws.training_jobs.stop(name) for name in names}
    jobs = [_wait(aws, name) for name in was_asked] if wait else aws.training_jobs.describe_all(list(was_asked))
    if as_json:
        rows = [{"name": each.name, "status": each.status, "was_asked": was_asked[each.name]} for each in jobs]
        typer.echo(json.dumps(rows))
        return
    for job in jobs:
        typer.echo(f"{job.name}: {job.status}" if was_asked[job.name] else f"{job.name}: {job.status} already")


def _wait(aws: Aws, name: str) -> JobDescription:
    from headrace.cli import job_view

    told = None
    for job in job_view.descriptions(aws, name):
        if job.secondary_status != told:
            typer.echo(f"{name}: {job.secondary_status}", err=True)
            told = job.secondary_status
    return job
