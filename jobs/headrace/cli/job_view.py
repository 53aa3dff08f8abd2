"""A training job in the terminal: its phases and log while it runs, one screen of facts at any time.

What a script logs is somebody else's text: control characters are taken out before a terminal sees them, and markup
is never read from it.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.aws import Aws
from headrace.cli.plain_text import without_controls
from headrace.cli.screen import time_text
from headrace.durations import duration_text
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.timeline import Timeline, timeline_of

if TYPE_CHECKING:
    from headrace.launch import Event

_WIDTH_CHARACTERS = 100
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 3.0
_PAUSE_GROWTH = 1.3


def follow(events: Iterable[Event], instance_count: int = 1) -> JobDescription:
    """Show a launch on stderr until its end: a line per phase, the log, and a clock where there is a terminal.

    ``events``: what :func:`headrace.launch.run` or :func:`headrace.launch.watch` tells. With several instances each
    line of the log begins with the one that printed it. Gives the last description.
    """
    console = Console(stderr=True, highlight=False)
    started = time.monotonic()
    job: JobDescription | None = None
    with console.status("waiting for the first status") as status:
        for event in events:
            if isinstance(event, JobDescription):
                job = event
            if isinstance(event, LogLine):
                show_line(event, console, instance_count)
            elif isinstance(event, Transition):
                show_phase(event, console, time.monotonic() - started)
                status.update(event.status)
    assert job is not None
    return job


def show_line(line: LogLine, console: Console, instance_count: int = 1) -> None:
    """A line of a job's log."""
    prefix = f"{line.instance} | " if instance_count > 1 else ""
    console.print(Text(f"  {prefix}{without_controls(line.text)}"), soft_wrap=True)


def show_phase(phase: Transition, console: Console, elapsed_seconds: float, job: str = "") -> None:
    """That a job has come to a phase. ``job``: which, where there are several."""
    which = f"{job}: " if job else ""
    told = f"[{elapsed_seconds:6.1f} s] {which}{phase.status}: {without_controls(phase.message)}"
    console.print(Text(told, style="bold"), soft_wrap=True)


def descriptions(aws: Aws, name: str) -> Iterator[JobDescription]:
    """The job as it stands, again and again at growing pauses; the last one has ended."""
    pause_seconds = _FIRST_PAUSE_SECONDS
    while True:
        job = aws.training_jobs.describe(name)
        yield job
        if job.is_over:
            return
        time.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)


def billed_text(job: JobDescription) -> str | None:
    """What is billed, and what Spot saved of it; None before the job's end."""
    if job.billable_seconds is None:
        return None
    text = f"{job.billed_instance_seconds} s"
    if job.instance_count > 1:
        text = f"{job.billable_seconds} s x {job.instance_count} instances = {text}"
    if job.spot_savings_percent is not None:
        text += f"; Spot saved {job.spot_savings_percent:.0f} % of {job.training_seconds} s"
    if job.warm_pool_billable_seconds:
        text += f"; kept warm for {job.warm_pool_billable_seconds} s x {job.instance_count}"
    return text


def summary_text(job: JobDescription) -> str:
    """One screen of facts about a job, for a terminal of any kind."""
    return screen_text(f"{job.name}: {job.status}", _facts(job, datetime.now(UTC)))


def screen_text(title: str, facts: Iterable[tuple[str, str]]) -> str:
    """A table of names and values, for a terminal of any kind."""
    table = Table(title=Text(without_controls(title)), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(without_controls(value)))
    console = Console(file=io.StringIO(), width=_WIDTH_CHARACTERS)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


def _facts(job: JobDescription, now: datetime) -> Iterator[tuple[str, str]]:
    timeline = timeline_of(job, now)
    yield from _standing(job, timeline)
    for group in job.instances:
        yield "instances", f"{group.count} x {group.instance_type}{' on Spot' if job.is_spot else ''}"
    for channel in job.channels:
        road = channel.road.name if channel.road else "another kind of source"
        yield "channel", f"{channel.name}: {road}, {channel.location}"
    for phase, seconds in timeline.passed.items():
        yield phase.value, duration_text(seconds)
    for metric, value in job.metrics.items():
        yield "metric", f"{metric} = {value:g}"
    if billed := billed_text(job):
        yield "billed", billed
    if job.model_artifact_uri:
        yield "model", job.model_artifact_uri
    if job.failure_reason:
        yield "reason", job.failure_reason


def _standing(job: JobDescription, timeline: Timeline) -> Iterator[tuple[str, str]]:
    if job.transitions:
        last = job.transitions[-1]
        yield "status", f"{job.secondary_status} since {time_text(last.started)}"
        yield "message", last.message
    else:
        yield "status", job.secondary_status
    yield "created", time_text(job.created)
    yield ("took" if job.is_over else "runs for"), duration_text(timeline.total_seconds)


def plain(job: JobDescription, now: datetime) -> dict[str, Any]:
    """The same facts for ``--json``; seconds are numbers, times are ISO 8601 in UTC, what is not known is null."""
    timeline = timeline_of(job, now)
    last = job.transitions[-1] if job.transitions else None
    return {
        "name": job.name,
        "arn": job.arn,
        "status": job.status,
        "secondary_status": job.secondary_status,
        "message": last.message if last else None,
        "since": iso_time(last.started) if last else None,
        "created": iso_time(job.created),
        "ended": iso_time(job.ended),
        "elapsed_seconds": milliseconds_exact(timeline.total_seconds),
        "phase_seconds": plain_phases(timeline),
        "instances": [{"instance_type": each.instance_type, "count": each.count} for each in job.instances],
        "is_spot": job.is_spot,
        "channels": [
            {"name": each.name, "road": each.road.name if each.road else None, "location": each.location}
            for each in job.channels
        ],
        "metrics": {name: value if math.isfinite(value) else None for name, value in job.metrics.items()},
        "training_seconds": job.training_seconds,
        **plain_bill(job),
        "spot_savings_percent": job.spot_savings_percent,
        "model_artifact_uri": job.model_artifact_uri,
        "failure_reason": job.failure_reason,
    }


def plain_phases(timeline: Timeline) -> dict[str, float]:
    """Phase -> seconds for ``--json``, those that did not happen as well."""
    return {phase.value: milliseconds_exact(seconds) for phase, seconds in timeline.seconds.items()}


def milliseconds_exact(seconds: float) -> float:
    """Seconds as exact as the service tells times, without the noise of sums."""
    return round(seconds, 3)


def plain_bill(job: JobDescription) -> dict[str, int | None]:
    """What ``--json`` says of the bill, in ``status`` and in ``timeline``."""
    return {
        "instance_count": job.instance_count,
        "billable_seconds": job.billable_seconds,
        "billed_instance_seconds": job.billed_instance_seconds,
        "warm_pool_billable_seconds": job.warm_pool_billable_seconds,
    }


def iso_time(when: datetime | None) -> str | None:
    """A point in time as ISO 8601 in UTC."""
    return None if when is None else when.astimezone(UTC).isoformat()
