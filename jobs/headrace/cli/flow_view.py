"""A flow in the terminal: its stages with their times and the running cost, its job, and one screen of facts."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from headrace.cli import job_view
from headrace.cli.job_view import iso_time
from headrace.cli.plain_text import counted, without_controls
from headrace.cli.progress import Progress
from headrace.cli.screen import time_text
from headrace.durations import duration_text
from headrace.ephemeral.cost import cost_of
from headrace.ephemeral.flows import Flow, FlowEvent, JobBegins, reason_of
from headrace.ephemeral.stages import Stage, StageSpan, capacity_gib
from headrace.execution_history import name_of
from headrace.job_description import JobDescription, LogLine, Transition

if TYPE_CHECKING:
    from headrace.aws import Aws

_LINE_SECONDS = 60.0
_MEANS = {
    Stage.CHECKING: "the spending cap",
    Stage.CREATING: "the file system",
    Stage.LINKING: "the file system to S3",
    Stage.IMPORTING: "names and sizes of all files",
    Stage.PRELOADING: "every file is read once",
    Stage.TRAINING: "the job",
    Stage.HOLDING: "the file system, until it is stopped or expires",
    Stage.TEARING_DOWN: "the file system goes",
}


def follow(events: Iterable[FlowEvent], capacity: int, region: str, instance_count: int = 1) -> Flow:
    """Show a flow on stderr until its end; the flow as it ended.

    ``events``: what :func:`headrace.ephemeral.flows.follow` tells. ``capacity`` in GiB: what is billed by the second.
    """
    console = Console(stderr=True, highlight=False)
    clock = _Clock(capacity, region)
    flow: Flow | None = None
    with console.status(clock), _told_by_the_minute(clock.__rich__, console):
        for event in events:
            if isinstance(event, Flow):
                flow = event
            elif isinstance(event, StageSpan):
                clock.began(event)
                console.print(Text(clock.line(event), style="bold"), soft_wrap=True)
            elif isinstance(event, LogLine):
                if (loaded := _LOADED.search(event.text)) is None:
                    job_view.show_line(event, console, instance_count)
                else:
                    clock.loaded(int(loaded["files"]), is_seen=console.is_terminal)
            elif isinstance(event, JobBegins):
                clock.job = "preload" if event.is_preload else "training"
            elif isinstance(event, Transition):
                clock.phase = event.status
                job_view.show_phase(event, console, clock.told_at(event.started), clock.job)
            elif isinstance(event, JobDescription) and (files := clock.all_loaded()) is not None:
                console.print(Text(f"  {counted(files, 'file')} loaded"), soft_wrap=True)
    assert flow is not None
    return flow


@contextmanager
def _told_by_the_minute(state: Callable[[], Text], console: Console) -> Iterator[None]:
    """Where nobody sees the state drawn, a line a minute says that it goes on."""
    if console.is_terminal:
        yield
        return
    is_over = threading.Event()

    def tell() -> None:
        while not is_over.wait(_LINE_SECONDS):
            console.print(Text("  ") + state(), soft_wrap=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


# what the script of a preload prints every few seconds
_LOADED = re.compile(r"^loaded_files=(?P<files>\d+)")


class _Clock:
    """Stage, time and cost, worked out anew whenever the terminal draws it."""

    def __init__(self, capacity: int, region: str) -> None:
        self._capacity = capacity
        self._region = region
        self._first: datetime | None = None
        self._created: datetime | None = None
        self._stage: StageSpan | None = None
        self._files: int | None = None
        self._latest_seconds = 0.0
        self._lines = Progress()
        self.job = self.phase = ""

    def loaded(self, files: int, *, is_seen: bool) -> None:
        """So many files are preloaded; ``is_seen``: the clock is drawn, and need not be told in lines."""
        self._files = files
        if not is_seen:
            self._lines("files loaded", files)

    def began(self, span: StageSpan) -> None:
        self._first = self._first or span.started
        if span.stage is Stage.CREATING:
            self._created = span.started
        self._stage, self._files, self.phase = span, None, ""

    def all_loaded(self) -> int | None:
        """How many files were loaded by the job that has ended; None for one that tells of no files."""
        files, self._files, self.phase = self._files, None, ""
        return files

    def told_at(self, at: datetime) -> float:
        """Seconds since the flow's start, never before what was told last: three services have their own clocks."""
        self._latest_seconds = max(self._latest_seconds, (at - (self._first or at)).total_seconds())
        return self._latest_seconds

    def line(self, span: StageSpan) -> str:
        """What is told of a stage that begins."""
        about = without_controls(": ".join(filter(None, (_MEANS[span.stage], span.detail))))
        return f"[{self.told_at(span.started):6.1f} s] {span.stage.value}: {about}{self._cost(span.started)}"

    def _cost(self, at: datetime) -> str:
        if self._created is None or at <= self._created:
            return ""
        return f" ({cost_of(self._capacity, (at - self._created).total_seconds(), self._region)})"

    def __rich__(self) -> Text:
        if self._stage is None:
            return Text("waiting for the first stage")
        now = datetime.now(UTC)
        took = duration_text(self._stage.seconds(now))
        phase = f", {self.job} job: {self.phase}" if self.phase else ""
        loaded = "" if self._files is None else f", {counted(self._files, 'file')} loaded"
        return Text(f"{self._stage.stage.value} for {took}{phase}{loaded}{self._cost(now)}")


def until_gone(aws: Aws, teardown_machine_arn: str, owner: str) -> None:
    """Show how a flow ends, until its file system is gone. Raises FlowFailed when it is not."""
    from headrace.ephemeral import teardown

    console = Console(stderr=True, highlight=False)
    begun = time.monotonic()

    def state() -> Text:
        return Text(f"tearing down for {duration_text(time.monotonic() - begun)}")

    with console.status("tearing down"), _told_by_the_minute(state, console):
        for line in teardown.until_gone(aws, teardown_machine_arn, owner):
            console.print(Text(without_controls(line)), soft_wrap=True)
    name = name_of(owner)
    console.print(Text(without_controls(f"the file system of {name} is gone")), soft_wrap=True)


def summary_text(flow: Flow, region: str) -> str:
    """One screen of facts about a flow, and one about its job as far as there is one."""
    screens = [job_view.screen_text(f"{flow.name}: {flow.execution.status}", _facts(flow, region, datetime.now(UTC)))]
    if flow.job is not None:
        screens.append(job_view.summary_text(flow.job))
    return "\n".join(screens)


def _facts(flow: Flow, region: str, now: datetime) -> Iterator[tuple[str, str]]:
    progress, execution = flow.progress, flow.execution
    if (stage := progress.stage) is not None and not execution.is_over:
        yield "stage", f"{stage.stage.value} {stage.detail}".rstrip() + f" since {time_text(stage.started)}"
    for span in progress.stages:
        yield span.stage.value, f"{duration_text(span.seconds(now))} {span.detail}".rstrip()
    yield "file system", _file_system_text(flow)
    if progress.imported_files is not None:
        yield "imported", counted(progress.imported_files, "file")
    if (cost := flow.cost(region, now)) is not None:
        yield "cost", f"{cost}, without the jobs"
    if flow.expires is not None:
        yield "expires", time_text(flow.expires)
    if execution.is_over and (execution.error or execution.cause):
        yield "reason", reason_of(execution)


def _file_system_text(flow: Flow) -> str:
    size = f"{capacity_gib(flow.execution):,} GiB"
    if flow.lustre is not None:
        return f"{flow.lustre.file_system_id}, {size}, {flow.lustre.lifecycle}"
    known = flow.progress.file_system_id
    if known is None:
        return f"{size}, {'was not made' if flow.execution.is_over else 'not made yet'}"
    return f"{known}, {size}, gone"


def plain(flow: Flow, region: str, now: datetime) -> dict[str, Any]:
    """The same facts for ``--json``; seconds are numbers, times are ISO 8601 in UTC, what is not known is null."""
    progress, execution = flow.progress, flow.execution
    stage, cost = progress.stage, flow.cost(region, now)
    file_system_id = progress.file_system_id or (flow.lustre.file_system_id if flow.lustre else None)
    return {
        "name": flow.name,
        "arn": execution.arn,
        "status": execution.status,
        "stage": stage.stage.value if stage else None,
        "since": iso_time(stage.started) if stage else None,
        "started": iso_time(execution.started),
        "ended": iso_time(execution.ended),
        "stages": [
            {
                "stage": each.stage.value,
                "detail": each.detail or None,
                "started": iso_time(each.started),
                "ended": iso_time(each.ended),
                "seconds": job_view.milliseconds_exact(each.seconds(now)),
            }
            for each in progress.stages
        ],
        "file_system": {
            "file_system_id": file_system_id,
            "storage_capacity_gib": capacity_gib(execution),
            "lifecycle": flow.lustre.lifecycle if flow.lustre else None,
            "is_gone": file_system_id is not None and flow.lustre is None,
        },
        "imported_files": progress.imported_files,
        "expires": iso_time(flow.expires),
        "gib_hours": round(cost.gib_hours, 3) if cost else 0.0,
        "usd": round(cost.usd, 4) if cost and cost.usd is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        "job": None if flow.job is None else job_view.plain(flow.job, now),
    }
