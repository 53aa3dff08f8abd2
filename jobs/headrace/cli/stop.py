"""``headrace stop``: stop training jobs, and the flows that make file systems for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.options import PlatformName, Region

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.cli.job_or_flow import Named
    from headrace.job_description import JobDescription

HELP = (
    "Stop training jobs; one that has ended already is left as it is.\n\n"
    "The script gets SIGTERM and 120 seconds, and what it has written to /opt/ml/model is kept. "
    "When one of the names is no job's, none is stopped.\n\n"
    "A job that was launched with --ephemeral is stopped with its flow: the command comes back when its file system is "
    "gone, or at once with --no-wait; the file system goes all the same."
)


def stop(
    names: Annotated[list[str], typer.Argument(metavar="JOB", help="Names of the training jobs, or of their flows.")],
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="Come back when all have ended. [default: only for flows]",
            show_default=False,
        ),
    ] = None,
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON: a list of jobs.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.cli.job_or_flow import look_up_all

    aws = Aws(region)
    found = look_up_all(aws, names, platform)
    was_asked = {each.name: _stop(aws, each) for each in found}
    rows = [_ended(aws, each, wait) | {"was_asked": was_asked[each.name]} for each in found]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        already = "" if row["was_asked"] else " already"
        typer.echo(f"{row['name']}: {row['status']}{already}")


def _stop(aws: Aws, each: Named) -> bool:
    if each.flow is None:
        return aws.training_jobs.stop(each.name)
    from headrace.ephemeral import teardown

    return teardown.stop(aws, each.flow.execution)


def _ended(aws: Aws, each: Named, wait: bool | None) -> dict[str, Any]:
    if each.flow is None:
        job = _wait(aws, each.name) if wait else aws.training_jobs.describe(each.name)
        return {"name": job.name, "status": job.status}
    from headrace.cli import flow_view
    from headrace.ephemeral import flows, teardown

    flow = flows.look(aws, flows.described(aws, each.flow.execution.arn))
    # of one that ended by itself long ago nothing is left, and nobody has to wait
    if wait is not False and (flow.lustre is not None or not each.flow.execution.is_over):
        try:
            flow_view.until_gone(aws, each.flow.part.teardown_machine_arn, flow.execution.arn)
        except KeyboardInterrupt:
            typer.echo(
                f"{each.name}: its file system is taken down all the same: headrace status {each.name}", err=True
            )
            raise
        flow = flows.look(aws, flow.execution)
    if wait is False and flow.lustre is not None and each.flow.execution.is_over:
        # its own teardown has been, and nothing else starts one
        teardown.start(aws, each.flow.part.teardown_machine_arn, flow.execution.arn)
    for other in teardown.others_of(aws, flow.execution):
        typer.echo(
            f"{other.file_system_id} is {other.lifecycle}: it names {flow.name} as its owner, which has not made it; "
            f"fix: aws fsx delete-file-system --file-system-id {other.file_system_id}, if nobody needs it",
            err=True,
        )
    gone = flow.lustre is None and wait is not False
    return {"name": flow.name, "status": flow.execution.status, "file_system_is_gone": gone}


def _wait(aws: Aws, name: str) -> JobDescription:
    from headrace.cli import job_view

    told = None
    for job in job_view.descriptions(aws, name):
        if job.secondary_status != told:
            typer.echo(f"{name}: {job.secondary_status}", err=True)
            told = job.secondary_status
    return job
