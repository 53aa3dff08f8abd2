"""``headrace status``: one screen about a training job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from headrace.cli.options import Region

HELP = (
    "Show how a training job stands, on one screen.\n\n"
    "Its status, its phases in seconds, its channels with their roads, its metrics, what is billed.\n\n"
    "Ends with 0 whatever has become of the job, and with 2 when there is no such job."
)


def status(
    name: Annotated[str, typer.Argument(metavar="JOB", help="Name of the training job.")],
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.cli import job_view

    job = Aws(region).training_jobs.describe(name)
    typer.echo(json.dumps(job_view.plain(job, datetime.now(UTC))) if as_json else job_view.summary_text(job))
