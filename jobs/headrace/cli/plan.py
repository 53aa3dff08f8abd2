"""``headrace plan`` and ``headrace platform``: the request without AWS, and the record that this takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from headrace.cli.findings import Ignore, suppressions_of
from headrace.cli.options import JobFilePath, Region
from headrace.cli.plain_text import without_controls

PLAN_HELP = (
    "Print the CreateTrainingJob request of JOB_FILE. Calls nothing.\n\n"
    "The platform is read from a file that `headrace platform` wrote. With capacity_retry, --all-attempts prints the "
    "request of every attempt."
)
PLATFORM_HELP = "Print the record of a deployed platform as JSON: what was deployed, and where."


def plan(
    path: JobFilePath,
    record: Annotated[
        Path, typer.Option("--platform", metavar="RECORD.json", help="The platform's record, from headrace platform.")
    ],
    ignored: Ignore = None,
    every_attempt: Annotated[
        bool, typer.Option("--all-attempts", help="One line of JSON for each attempt, instead of the first, indented.")
    ] = False,
) -> None:
    from headrace import job_file, planning, platform_file

    planned = planning.plan(job_file.load(path), platform_file.read_file(record), suppressions=suppressions_of(ignored))
    for finding in planned.findings:
        typer.echo(without_controls(str(finding)), err=True)
    if every_attempt:
        for attempt in planned.attempts:
            typer.echo(json.dumps(attempt.request))
    else:
        typer.echo(json.dumps(planned.request, indent=2))


def platform(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The platform. [default: dev]", envvar="HEADRACE_PLATFORM")
    ] = None,
    region: Region = None,
) -> None:
    from headrace import launch, platform_file
    from headrace.aws import Aws

    typer.echo(json.dumps(platform_file.to_file(launch.read_platform(Aws(region), name)), indent=2))
