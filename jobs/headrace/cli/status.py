"""``headrace status``: one screen about a training job, or about the flow that makes a file system for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from headrace.cli.options import PlatformName, Region

HELP = (
    "Show how a training job stands, on one screen.\n\n"
    "Its status, its phases in seconds, its channels with their roads, its metrics, what is billed. Of a job that was "
    "launched with --ephemeral also its flow, from its start: the stage, the file system, its cost and its expiry. "
    "--platform is looked at only where there is no job of this name yet, or one without the platform's tag.\n\n"
    "Ends with 0 whatever has become of the job, and with 2 when there is no such job."
)


def status(
    name: Annotated[str, typer.Argument(metavar="JOB", help="Name of the training job, or of its flow.")],
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.cli import job_view
    from headrace.cli.job_or_flow import look_up

    aws = Aws(region)
    found = look_up(aws, name, platform)
    now = datetime.now(UTC)
    if found.flow is not None:
        from headrace.cli import flow_view
        from headrace.ephemeral import flows

        flow = flows.look(aws, found.flow.execution)
        told = (
            json.dumps(flow_view.plain(flow, aws.region, now)) if as_json else flow_view.summary_text(flow, aws.region)
        )
    else:
        assert found.job is not None
        told = json.dumps(job_view.plain(found.job, now)) if as_json else job_view.summary_text(found.job)
    typer.echo(told)
