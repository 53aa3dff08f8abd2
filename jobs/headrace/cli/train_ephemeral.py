"""``headrace train --ephemeral``: the job on a Lustre file system that is made for it and goes with it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from headrace.cli.plain_text import counted, without_controls
from headrace.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headrace.aws import Aws
    from headrace.ephemeral.preparing import PreparedFlow
    from headrace.job_file import JobFile
    from headrace.rules import Suppression


def train(
    job: JobFile,
    aws: Aws,
    platform: str | None,
    suppressions: Sequence[Suppression],
    *,
    dry_run: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Check everything; then print the machine's input, or start the flow, and follow it if that is wanted."""
    prepared = _prepared(job, aws, platform, suppressions)
    if dry_run:
        from headrace.ephemeral.cost import cost_of

        if prepared.plan.upload_to is not None:
            _narrate(f"would upload {prepared.plan.job.source_dir} to {prepared.plan.upload_to.uri}")
        most = cost_of(prepared.capacity.gib, prepared.lifetime.seconds, aws.region)
        _narrate(f"costs at most {most} if it lives so long, without the jobs; it goes as soon as the job has ended")
        _narrate(f"would start {prepared.part.machine_arn} with")
        typer.echo(json.dumps(prepared.given, indent=2))
        return
    from headrace.ephemeral import launching

    try:
        arn = launching.start(prepared, aws)
    except KeyboardInterrupt:
        _narrate(f"it may have been started: headrace status {prepared.name}; headrace stop {prepared.name} ends it")
        raise
    _narrate(f"started {arn}")
    if wait:
        _run_to_end(prepared, arn, aws, as_json)
    else:
        typer.echo(json.dumps({"name": prepared.name, "arn": arn}) if as_json else prepared.name)


def _prepared(job: JobFile, aws: Aws, platform: str | None, suppressions: Sequence[Suppression]) -> PreparedFlow:
    from headrace import launch
    from headrace.ephemeral.preparing import prepare

    deployed = launch.read_platform(aws, platform)
    _narrate(f"checking the job and its data on platform {deployed.foundation.platform} ({aws.region})")
    with Progress() as told:
        prepared = prepare(job, aws, deployed, suppressions=suppressions, told=told)
    for finding in prepared.findings:
        _narrate(str(finding))
    links = ", ".join(f"{each.path} <- {each.uri}" for each in prepared.associations)
    contents = prepared.data.contents
    _narrate(f"{counted(contents.objects, 'object')}, {counted(contents.size_bytes, 'byte')}: {links}")
    _narrate(f"{prepared.capacity.gib:,} GiB: {prepared.capacity.arithmetic}")
    _narrate(
        f"lives {prepared.lifetime.seconds / 3600:,.1f} h at the most; its ports and links cannot be looked at before "
        "it is there"
    )
    return prepared


def _run_to_end(prepared: PreparedFlow, arn: str, aws: Aws, as_json: bool) -> None:
    from headrace.cli import flow_view
    from headrace.ephemeral import flows, teardown
    from headrace.execution_history import ExecutionStatus

    try:
        with closing(flows.follow(aws, arn)) as events:
            flow = flow_view.follow(events, prepared.capacity.gib, aws.region, prepared.plan.job.total_instances)
        if flow.lustre is not None:
            flow_view.until_gone(aws, prepared.part.teardown_machine_arn, arn)
            flow = teardown.look(aws, flows.PlatformFlow(execution=flow.execution, part=prepared.part))
    except KeyboardInterrupt:
        _narrate(
            f"the flow goes on, and takes its file system down: headrace status {prepared.name}; "
            f"headrace stop {prepared.name} ends both"
        )
        raise
    now = datetime.now(UTC)
    typer.echo(
        json.dumps(flow_view.plain(flow, aws.region, now)) if as_json else flow_view.summary_text(flow, aws.region)
    )
    if flow.execution.status != ExecutionStatus.SUCCEEDED:
        raise flows.failure(flow)


def _narrate(line: str) -> None:
    typer.echo(without_controls(line), err=True)
