"""A training job in the terminal: its phases and log while it runs, a table when it is over.

What a script logs is somebody else's text: control characters are taken out before a terminal sees them.
"""

from __future__ import annotations

import io
import time

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from headrace.aws import Aws
from headrace.cli.plain_text import without_controls
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.launch import Event, watch

_WIDTH_CHARACTERS = 100


def follow(aws: Aws, name: str) -> JobDescription:
    """Show the job on stderr until it has ended: a line per phase, its log, and a clock where there is a terminal."""
    console = Console(stderr=True, highlight=False)
    started = time.monotonic()
    with console.status("waiting for the first status") as status:
        for event in watch(aws, name):
            if isinstance(event, JobDescription):
                return event
            _show(event, console, status, time.monotonic() - started)
    raise AssertionError("watch ends with the job's description")


def _show(event: Event, console: Console, status: Status, elapsed_seconds: float) -> None:
    if isinstance(event, Transition):
        console.print(
            Text(f"[{elapsed_seconds:6.1f} s] {event.status}: {without_controls(event.message)}", style="bold")
        )
        status.update(event.status)
    elif isinstance(event, LogLine):
        console.print(Text(f"  {without_controls(event.text)}"), soft_wrap=True)


def summary_text(job: JobDescription) -> str:
    """The table that ``headrace train --wait`` prints of a job that has ended."""
    table = Table(title=f"{job.name}: {job.status}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for phase in job.transitions:
        if phase.seconds is not None and phase.seconds > 0:
            table.add_row(phase.status, f"{phase.seconds:.1f} s")
    for metric, value in job.metrics.items():
        table.add_row(Text(without_controls(metric)), f"{value:g}")
    if job.billable_seconds is not None:
        table.add_row("billed", f"{job.billable_seconds * job.instance_count} s")
    if job.model_artifact_uri:
        table.add_row("model", Text(job.model_artifact_uri, overflow="fold"))
    if job.failure_reason:
        table.add_row("reason", Text(without_controls(job.failure_reason)))
    console = Console(file=io.StringIO(), width=_WIDTH_CHARACTERS)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()
