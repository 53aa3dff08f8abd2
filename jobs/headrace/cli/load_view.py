"""A load of a file system in the terminal: phases, a bar of files and bytes, and what else the script prints.

Without a terminal the bar becomes a line every ten seconds. The script's text is somebody else's: names of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from headrace.cli import job_view, progress
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.tally import Tally, numbers_of

if TYPE_CHECKING:
    from headrace.launch import Event


ArrivedBytes = Callable[[Mapping[str, int]], int]
"""How far a load is, by the numbers of its script."""


Run = Callable[[Callable[[str], None]], Generator["Event"]]
"""Launches a load, and tells of it until its end; what it is given hears the job's name."""


def run_to_end(run: Run, listed: Tally, arrived_bytes: ArrivedBytes) -> JobDescription:
    """Launch a load and show it on stderr until its end; the last description. Ctrl-C leaves the job, and says so."""
    created: list[str] = []
    try:
        with closing(run(created.append)) as events:
            return _follow(events, listed, arrived_bytes)
    except KeyboardInterrupt:
        for name in created[-1:]:
            typer.echo(f"the job goes on: headrace status {name}; headrace stop {name} ends it", err=True)
        raise


def _follow(events: Iterable[Event], listed: Tally, arrived_bytes: ArrivedBytes) -> JobDescription:
    console = Console(stderr=True, highlight=False)
    job: JobDescription | None = None
    with _bar(console) as bar:
        view = _View(console, bar, listed, arrived_bytes)
        for event in events:
            if isinstance(event, JobDescription):
                job = event
            elif isinstance(event, Transition):
                view.phase(event)
            else:
                view.line(event)
    assert job is not None
    return job


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[files]} files"))
    rates = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, *rates, console=console, transient=True, disable=not console.is_terminal)


class _View:
    def __init__(self, console: Console, bar: Progress, listed: Tally, arrived_bytes: ArrivedBytes) -> None:
        self._console = console
        self._bar = bar
        self._listed = listed
        self._arrived_bytes = arrived_bytes
        self._started = time.monotonic()
        self._task = bar.add_task("launching", total=listed.size_bytes, files=f"0/{listed.files:,}")
        self._lines = progress.Progress()

    def phase(self, transition: Transition) -> None:
        job_view.show_phase(transition, self._console, time.monotonic() - self._started)
        self._bar.update(self._task, description=transition.status)

    def line(self, line: LogLine) -> None:
        numbers = numbers_of(line.text.strip())
        if numbers is None:
            job_view.show_line(line, self._console)
            return
        files, total = numbers.get("loaded_files", 0), self._listed.files
        self._bar.update(self._task, completed=self._arrived_bytes(numbers), files=f"{files:,}/{total:,}")
        if not self._console.is_terminal:
            self._lines(f"of {total:,} files loaded", files)
