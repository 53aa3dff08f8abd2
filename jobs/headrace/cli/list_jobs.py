"""``headrace list``: the training jobs of a platform."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import PlatformName, Region
from headrace.job_status import JobStatus

if TYPE_CHECKING:
    from headrace.job_description import JobSummary

HELP = (
    "List the training jobs of a deployed platform, newest first.\n\n"
    "A job is the platform's when its name begins with the platform's prefix for job names."
)


def list_jobs(
    status: Annotated[
        JobStatus | None, typer.Option(help="Only jobs in this status.", case_sensitive=False, show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="At most so many.")] = 20,
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the jobs as JSON.")] = False,
) -> None:
    from headrace import launch
    from headrace.aws import Aws

    aws = Aws(region)
    prefix = launch.read_platform(aws, platform).foundation.job_name_prefix
    jobs = aws.training_jobs.newest(prefix, status, limit)
    now = datetime.now(UTC)
    if as_json:
        typer.echo(json.dumps([_plain(each, now) for each in jobs]))
    elif jobs:
        _print_table(jobs, now)
    else:
        typer.echo(f"no job whose name begins with {prefix}{'' if status is None else f' is {status}'}", err=True)
    if len(jobs) == limit:
        typer.echo(f"these are the newest {limit}; --limit shows more", err=True)


def _plain(job: JobSummary, now: datetime) -> dict[str, object]:
    from headrace.cli.job_view import iso_time

    return {
        "name": job.name,
        "status": job.status,
        "created": iso_time(job.created),
        "ended": iso_time(job.ended),
        "seconds": job.seconds(now),
    }


def _print_table(jobs: list[JobSummary], now: datetime) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from headrace.cli.screen import result_console, time_text
    from headrace.durations import duration_text

    table = Table("name", "status", "created", "duration", box=SIMPLE, pad_edge=False)
    table.columns[0].overflow = "fold"
    for job in jobs:
        row = (job.name, job.status, time_text(job.created), duration_text(job.seconds(now)))
        table.add_row(*map(Text, row))
    result_console().print(table)
