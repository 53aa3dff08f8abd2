"""``headrace logs``: what a training job prints."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls
from headrace.errors import InvalidInput

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.job_description import JobDescription, LogLine

HELP = (
    "Print the log of a training job.\n\n"
    "The lines of all instances come in the order of their times. With several instances each begins with the one "
    "that printed it. --json prints one object a line: instance, written, text."
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
# what a script prints last reaches CloudWatch Logs a little after the job's end
_LAST_LINES_SECONDS = 1.0


def logs(
    name: Annotated[str, typer.Argument(metavar="JOB", help="Name of the training job.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    instance: Annotated[str | None, typer.Option(help="Only this instance's lines, such as algo-2.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only lines from then on: 30s, 10m, 2h, 1d ago, or a time in ISO 8601.")
    ] = None,
    tail: Annotated[int | None, typer.Option(min=1, metavar="N", help="Begin with the last N lines.")] = None,
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.cli.job_or_flow import require_job

    start = None if since is None else start_time(since, datetime.now(UTC))
    aws = Aws(region)
    job = require_job(aws, name, platform)
    _check_instance(instance, job)
    seen: dict[str, str] = {}

    def new_lines() -> Iterable[LogLine]:
        return aws.job_logs.lines(name, seen, instance=instance, since=start)

    first = new_lines() if tail is None else aws.job_logs.last_lines(name, seen, tail, instance=instance, since=start)
    show = _show_json if as_json else _show_prefixed if instance is None and job.instance_count > 1 else _show_plain
    if not _print(first, show):
        typer.echo(f"{name} ({job.status}, {job.secondary_status}) has printed nothing so far", err=True)
    if follow:
        _follow(aws, name, lambda: _print(new_lines(), show))


def start_time(since: str, now: datetime) -> datetime:
    """The time that ``--since`` names: a duration before now, or ISO 8601, in UTC unless it says otherwise.

    Raises InvalidInput.
    """
    try:
        if duration := _DURATION.fullmatch(since):
            return now - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        start = datetime.fromisoformat(since)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"--since is {since!r}; allowed: a number with s, m, h or d, such as 10m, or a time such as "
            f"{now:%Y-%m-%dT%H:%M}Z; fix: one of these"
        ) from None
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def _check_instance(instance: str | None, job: JobDescription) -> None:
    known = [f"algo-{number}" for number in range(1, job.instance_count + 1)]
    if instance is not None and instance not in known:
        allowed = known[0] if len(known) == 1 else f"{known[0]} to {known[-1]}" if known else "none"
        raise InvalidInput(f"--instance is {instance!r}; allowed: {allowed} of {job.name}; fix: one of these")


def _follow(aws: Aws, name: str, show_new_lines: Callable[[], object]) -> None:
    from headrace.cli import job_view

    for _ in job_view.descriptions(aws, name):
        show_new_lines()
    time.sleep(_LAST_LINES_SECONDS)
    show_new_lines()


def _print(lines: Iterable[LogLine], show: Callable[[LogLine], None]) -> bool:
    printed = False
    for line in lines:
        show(line)
        printed = True
    return printed


def _show_plain(line: LogLine) -> None:
    typer.echo(without_controls(line.text))


def _show_prefixed(line: LogLine) -> None:
    for part in without_controls(line.text).split("\n"):
        typer.echo(f"{line.instance} | {part}")


def _show_json(line: LogLine) -> None:
    typer.echo(json.dumps({"instance": line.instance, "written": line.written.isoformat(), "text": line.text}))
