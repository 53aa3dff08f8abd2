"""Figures of a good day, on the virtual clock at AWS-like latencies: `python -m tests.simulation.figures`.

How long from the job's last event to an accepted DeleteFileSystem, how many API calls a run makes, and for which stages
the file system is paid. Nothing goes wrong here; what goes wrong is the soak's business.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from typer import echo

from tests.simulation.definitions import machines
from tests.simulation.faults import HOUR, Faults, SageMakerFaults, Span
from tests.simulation.invariants import breaches
from tests.simulation.schedule import Schedule
from tests.simulation.soak import soak

# stage -> the state whose first entry begins it; what comes after the last of them is named below
BEGINNINGS = {
    "creating": "WaitForFileSystem",
    "linking": "CreateLink",
    "importing": "StartImport",
    "preload and training": "WhatIsNext",
}
STAGES = (*BEGINNINGS, "job over, delete not yet accepted", "deleting")


@dataclass(frozen=True)
class Run:
    """What one run came to, in seconds and calls. The teardown that the flow starts belongs to the run."""

    to_delete_seconds: float
    seconds: float
    calls: int
    stage_seconds: dict[str, float]


def run(plan: Faults, seed: str) -> Run:
    entries: dict[str, float] = {}

    def tell(seconds: float, _: str, where: str, what: str) -> None:
        if what == "entered":
            entries.setdefault(where, seconds)

    schedule = Schedule(machines(), plan, seed, tell=tell).run()
    assert schedule.flow.status == "SUCCEEDED", schedule.flow.cause
    assert breaches(schedule) == []
    start, record = schedule.world.clock.start, schedule.world.record
    [deletion] = record.deletions
    [job] = [each for each in schedule.world.sagemaker.jobs.values() if "-preload" not in each.name]
    gone, over = deletion.file_system.gone, schedule.flow.stopped
    assert job.ended is not None
    assert gone is not None
    assert over is not None
    ends = [entries[state] for state in BEGINNINGS.values()]
    ends += [job.ended - start, deletion.time - start, gone - start]
    spans = zip(STAGES, pairwise(ends), strict=True)
    return Run(
        to_delete_seconds=deletion.time - job.ended,
        seconds=over - start,
        calls=record.calls[schedule.flow.arn] + record.calls[deletion.caller or ""],
        stage_seconds={stage: end - begin for stage, (begin, end) in spans},
    )


def good_day(lifetime_hours: float) -> Faults:
    training = SageMakerFaults(training_span=Span(600, min(4.0, lifetime_hours / 2) * HOUR))
    return Faults(preload=True, lifetime_seconds=lifetime_hours * HOUR, sagemaker=training)


def table(lifetime_hours: float, runs: Sequence[Run]) -> Iterator[str]:
    waits = sorted(each.to_delete_seconds for each in runs)
    per_call = [each.seconds / each.calls for each in runs]
    yield f"lifetime {lifetime_hours:g} h, {len(runs)} runs without faults:"
    yield f"  job's last event to accepted delete: median {statistics.median(waits):.0f} s, at most {waits[-1]:.0f} s"
    yield (
        f"  API calls of a run: median {statistics.median(each.calls for each in runs):.0f}; "
        f"one for every {min(per_call):.1f} s at the most"
    )
    yield "  the file system is there, mean seconds by stage:"
    for stage in STAGES:
        yield f"    {stage:36} {statistics.fmean(each.stage_seconds[stage] for each in runs):8.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.figures", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--hours", type=float, nargs="*", default=[3.0, 10.0, 26.0], help="lifetimes")
    parser.add_argument("--leaks-over", type=int, default=0, metavar="SEEDS", help="and count leaks over so many seeds")
    given = parser.parse_args(arguments)
    for hours in given.hours:
        echo("\n".join(table(hours, [run(good_day(hours), f"{hours}/{seed}") for seed in range(given.runs)])))
    if given.leaks_over:
        tally = soak(range(given.leaks_over), 1, None)
        leaks = sum("all_are_deleted" in each for found in tally.broken.values() for each in found)
        living = sum("nothing_living" in each for found in tally.broken.values() for each in found)
        echo(f"{tally.seeds} schedules with faults: {leaks} leaks, {living} living file systems deleted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
