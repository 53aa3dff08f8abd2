"""A load of a file system in the terminal: phases, a bar of files and bytes, and what else the script prints.

Without a terminal the bar becomes a line every ten seconds. The script's text is somebody else's: names of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from headrace.cli import progress
from headrace.cli.plain_text import without_controls
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.tally import Tally, numbers_of

if TYPE_CHECKING:
    from headrace.launch import Event


ArrivedBytes = Callable[[Mapping[str, int]], int]
"""How far a load is, by the numbers of its script."""


def follow(events: Iterable[Event], listed: Tally, arrived_bytes: ArrivedBytes) -> JobDescription:
    """Show a load on stderr until its end; the last description."""
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
        self._lines: progress.Progress | None = None

    def phase(self, transition: Transition) -> None:
        seconds = time.monotonic() - self._started
        told = f"[{seconds:6.1f} s] {transition.status}: {without_controls(transition.message)}"
        self._console.print(Text(told, style="bold"), soft_wrap=True)
        self._bar.update(self._task, description=transition.status)

    def line(self, line: LogLine) -> None:
        numbers = numbers_of(line.text.strip())
        if numbers is None:
            self._console.print(Text(f"  {without_controls(line.text)}"), soft_wrap=True)
            return
        files, total = numbers.get("loaded_files", 0), self._listed.files
        self._bar.update(self._task, completed=self._arrived_bytes(numbers), files=f"{files:,}/{total:,}")
        if not self._console.is_terminal:
            # its clock starts with the first numbers, not with the launch
            self._lines = self._lines or progress.Progress()
            self._lines(f"of {total:,} files loaded", files)
