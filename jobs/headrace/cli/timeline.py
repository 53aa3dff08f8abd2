"""``headrace timeline``: where the time of training jobs went, as bars on one scale of time.

Each character of a bar is a moment of the job, its letter the phase; colours say the same once more, so that nothing
is lost on paper, in a file or to an eye that sees no colours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.text import Text

    from headrace.timeline import Phase, Timeline

HELP = (
    "Show where the time of training jobs went, and what share was waiting for data.\n\n"
    "Seconds of starting, downloading, image, training and uploading, a bar for each job on one scale of time, and "
    "what is billed.\n\n"
    "Waiting for data is downloading, plus data_wait_seconds where the script prints a metric of that name; the share "
    "is of the time in which the job had its instances (downloading, image, training, uploading, stopping). What a "
    "script waits while it reads from FastFile, Pipe, Lustre or EFS is inside training, where SageMaker cannot see "
    "it. --json prints a list with one object for each job; see docs/jobs.md."
)

LOOKS: Mapping[str, tuple[str, str]] = {
    "starting": ("s", "black on white"),
    "downloading": ("D", "black on yellow"),
    "image": ("i", "black on cyan"),
    "training": ("T", "black on green"),
    "uploading": ("u", "white on blue"),
    "stopping": ("x", "white on magenta"),
    "interrupted": ("!", "white on red"),
    "other": ("?", "default"),
}
"""Phase -> its letter in a bar, and its colour in a terminal."""

_OPEN = ">"


def timeline(
    names: Annotated[list[str], typer.Argument(metavar="JOB", help="Names of the training jobs.")],
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the timelines as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.cli.job_or_flow import require_jobs
    from headrace.timeline import timeline_of

    jobs = require_jobs(Aws(region), names, platform)
    now = datetime.now(UTC)
    timelines = [timeline_of(each, now) for each in jobs]
    if as_json:
        typer.echo(json.dumps([plain(each) for each in timelines]))
        return
    from headrace.cli.screen import result_console

    console = result_console()
    for line in _screen(timelines, console.width):
        console.print(line)


def plain(timeline: Timeline) -> dict[str, Any]:
    """A timeline for ``--json``; the fields are documented in docs/jobs.md."""
    from headrace.cli.job_view import milliseconds_exact, plain_bill, plain_phases

    return {
        "name": timeline.job.name,
        "status": timeline.job.status,
        "is_over": timeline.job.is_over,
        "total_seconds": milliseconds_exact(timeline.total_seconds),
        "phase_seconds": plain_phases(timeline),
        "segments": [
            {
                "phase": each.phase.value,
                "status": each.status,
                "start_seconds": milliseconds_exact(each.start_seconds),
                "seconds": milliseconds_exact(each.seconds),
                "is_open": each.is_open,
            }
            for each in timeline.segments
        ],
        "held_seconds": milliseconds_exact(timeline.held_seconds),
        "data_wait_seconds": timeline.data_wait_seconds,
        "waiting_seconds": milliseconds_exact(timeline.waiting_seconds),
        "waiting_share": timeline.waiting_share,
        **plain_bill(timeline.job),
        "notes": list(timeline.notes),
    }


def _screen(timelines: Sequence[Timeline], width_characters: int) -> Iterator[Text | Padding]:
    from rich.padding import Padding
    from rich.text import Text

    longest_seconds = max(each.total_seconds for each in timelines)
    for each in timelines:
        yield Text(f"{each.job.name}  {each.job.status}", style="bold")
        yield bar(each, longest_seconds, width_characters)
        for line in _numbers(each):
            yield Padding(Text(without_controls(line)), (0, 0, 0, 2), expand=False)
    passed = {phase for each in timelines for phase in each.passed}
    yield _legend([phase for phase in timelines[0].seconds if phase in passed], timelines)


def bar(timeline: Timeline, longest_seconds: float, width_characters: int) -> Text:
    """The job's bar. ``longest_seconds`` fill the width; a phase shorter than half a character has none."""
    from rich.text import Text

    text = Text(no_wrap=True)
    for segment in timeline.segments:
        start = round(segment.start_seconds / longest_seconds * width_characters) if longest_seconds else 0
        end = segment.start_seconds + segment.seconds
        stop = round(end / longest_seconds * width_characters) if longest_seconds else 0
        text.append(" " * (start - len(text)))
        letter, style = LOOKS[segment.phase.value]
        cells = letter * (stop - len(text))
        text.append(cells[:-1] + _OPEN if segment.is_open and cells else cells, style=style)
    return text


def _numbers(timeline: Timeline) -> Iterator[str]:
    from headrace.cli.job_view import billed_text
    from headrace.durations import duration_text

    running = {each.phase for each in timeline.segments if each.is_open}
    phases = [
        f"{phase.value} {duration_text(seconds)}{' so far' if phase in running else ''}"
        for phase, seconds in timeline.passed.items()
    ]
    yield f"{', '.join(phases) or 'no phase yet'}; in all {duration_text(timeline.total_seconds)}"
    yield f"billed {billed_text(timeline.job) or 'is known when the job has ended'}"
    yield _waiting(timeline)
    yield from timeline.notes


def _waiting(timeline: Timeline) -> str:
    from headrace.durations import duration_text
    from headrace.timeline import DATA_WAIT_METRIC, Phase

    if timeline.waiting_share is None:
        return "waiting for data: nothing, since the job never had an instance"
    parts = [f"downloading {duration_text(timeline.seconds[Phase.DOWNLOADING])}"]
    if timeline.data_wait_seconds is not None:
        parts.append(f"{DATA_WAIT_METRIC} {duration_text(timeline.data_wait_seconds)}")
    return (
        f"waiting for data {100 * timeline.waiting_share:.1f} % "
        f"({' + '.join(parts)} of {duration_text(timeline.held_seconds)} with instances)"
    )


def _legend(phases: Sequence[Phase], timelines: Sequence[Timeline]) -> Text:
    from rich.text import Text

    text = Text()
    for phase in phases:
        letter, style = LOOKS[phase.value]
        text.append(letter, style=style).append(f" {phase.value}  ")
    if any(segment.is_open for each in timelines for segment in each.segments):
        text.append(f"{_OPEN} goes on")
    return text
