"""The advice beside measured jobs: billed seconds of twelve scenarios, measured twice by their authors.

Run: ``python benchmarks/advice_error.py``. For each table of benchmarks/measurements it prints measured and predicted
seconds, the error, the interval, and whether it holds the measured value; the winner of each scenario; and, for the
post's table, what becomes of a scenario when the rates are fitted to the three others alone. At the end, plans per
second.

What the model is told is what a user would tell it: the files and their sizes, the instance, one epoch, and the samples
per second that the model computes when data is there. That is read off the File jobs of scenarios D and B together,
since a script needs some seconds beyond its rate: (1,530,350 - 30,607) / (4,769 - 113) samples/s.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headrace.advisor.plans import Plan, plan
from headrace.advisor.question import Fleet, Question, Workload
from headrace.advisor.span import Span
from headrace.advisor.speeds import Speeds, speeds
from headrace.advisor.variants import LustreState, Variant
from headrace.dataset.profile import Where, profile_of_sizes
from headrace.figures.instance_types import instance_type
from headrace.figures.prices import prices
from headrace.roads import LUSTRE, S3_FAST_FILE, S3_FILE

FOLDER = Path(__file__).parent / "measurements"
TABLES = ("post_2022.csv", "bencher_2022.csv")
SAMPLES_PER_SECOND = (1_530_350 - 30_607) / (4_769 - 113)
VARIANTS = {
    "FSx": Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200),
    "File": Variant(road=S3_FILE),
    "FastFile": Variant(road=S3_FAST_FILE),
}
FITTED = (
    "job_overhead_seconds",
    "image_pull_mb_per_second",
    "mount_seconds",
    "s3_small_objects_per_second",
    "file_mode_mb_per_second",
)
"""The rates that the post's jobs can tell something about; what other sources say of them stands in rates.json."""
ERROR_OF_A_JOB = 0.1
"""How far the same job is from itself when it runs again, as a share: what the two tables differ by, on the mean."""
SECONDS_OF_DIGITISING = {"A": 2.0, "B": 2.0, "C": 35.0, "D": 35.0}
STEPS = 20
PLANS = 10_000


@dataclass(frozen=True)
class Row:
    """A measured job."""

    scenario: str
    mode: str
    question: Question
    seconds: float

    def predicted(self, known: Speeds | None = None) -> Plan:
        """The plan of this job, with the shipped rates or others."""
        question = self.question if known is None else replace(self.question, speeds=known)
        return plan(question, VARIANTS[self.mode])

    def error(self, known: Speeds | None = None) -> float:
        """How much more was predicted than was measured, as a share."""
        return self.predicted(known).billed_seconds.point / self.seconds - 1


def rows(table: str) -> list[Row]:
    """The jobs of a table."""
    lines = (FOLDER / table).read_text(encoding="utf-8").splitlines()
    return [
        Row(each["scenario"], each["mode"], _question(each), float(each["total_s"]))
        for each in csv.DictReader(line for line in lines if not line.startswith("#"))
    ]


def _question(row: Mapping[str, str]) -> Question:
    files, size_bytes = int(row["files"]), round(float(row["dataset_gb"]) * 1e9)
    small, larger = size_bytes // files, size_bytes % files
    sizes = [(small, files - larger), (small + 1, larger)] if larger else [(small, files)]
    return Question(
        profile=profile_of_sizes("s3://measured/data/", Where.S3, sizes),
        workload=Workload(samples=int(row["samples"]), samples_per_second=SAMPLES_PER_SECOND),
        fleet=Fleet(instance_type=instance_type("ml.p3.2xlarge")),
        prices=prices("us-east-1"),
    )


def winners(table: Sequence[Row]) -> Iterator[tuple[str, str, str, bool]]:
    """Of each scenario: what was measured the quickest, what is predicted so, and whether these are the same.

    Two that are no further apart than the figure could be read are the same.
    """
    for scenario in sorted({each.scenario for each in table}):
        jobs = [each for each in table if each.scenario == scenario]
        measured = min(jobs, key=lambda each: each.seconds)
        predicted = min(jobs, key=lambda each: each.predicted().billed_seconds.point)
        apart = predicted.seconds - measured.seconds
        yield scenario, measured.mode, predicted.mode, apart <= 2 * SECONDS_OF_DIGITISING[scenario]


def fitted(table: Sequence[Row]) -> Speeds:
    """The rates that these jobs and their own sources make the most likely: by turns, until none gets better.

    A source counts as one measurement, as sure as its range is narrow; a job as one with the usual error of a job.
    """
    sources = speeds()
    known, best = sources, _loss(table, sources, sources)
    improved = True
    while improved:
        improved = False
        for name in FITTED:
            low, high = getattr(sources, name)[1:]
            for step in range(STEPS + 1):
                value = low + (high - low) * step / STEPS
                tried = replace(known, **{name: Span(value, low, high)})
                if (loss := _loss(table, tried, sources)) < best - 1e-9:
                    best, known, improved = loss, tried, True
    return known


def _loss(table: Sequence[Row], known: Speeds, sources: Speeds) -> float:
    jobs = sum((math.log1p(each.error(known)) / ERROR_OF_A_JOB) ** 2 for each in table)
    return jobs + sum(_surprise(getattr(known, name), getattr(sources, name)) for name in FITTED)


def _surprise(tried: Span, source: Span) -> float:
    return (2 * math.log(tried.point / source.point) / math.log(source.high / source.low)) ** 2


def left_out(table: Sequence[Row]) -> Iterator[tuple[str, float, float]]:
    """Of each scenario, the mean and the worst error with rates that were fitted without it."""
    for scenario in sorted({each.scenario for each in table}):
        known = fitted([each for each in table if each.scenario != scenario])
        errors = [abs(each.error(known)) for each in table if each.scenario == scenario]
        yield scenario, sum(errors) / len(errors), max(errors)


def _print_table(name: str) -> None:
    table = rows(name)
    print(f"{name}: billed seconds, measured and predicted")
    inside = 0
    for each in table:
        billed = each.predicted().billed_seconds
        is_inside = billed.low <= each.seconds <= billed.high
        inside += is_inside
        error, interval = f"{100 * each.error():+6.1f} %", f"{billed.low:8,.0f} to {billed.high:8,.0f}"
        print(
            f"  {each.scenario} {each.mode:8s} {each.seconds:8,.0f} {billed.point:8,.0f}  {error}   "
            f"{interval}{'' if is_inside else '  outside'}"
        )
    errors = [abs(each.error()) for each in table]
    print(f"  mean error {100 * sum(errors) / len(errors):.1f} %, worst {100 * max(errors):.1f} %")
    print(f"  {inside} of {len(table)} within their interval")
    for scenario, measured, predicted, same in winners(table):
        print(f"  {scenario}: quickest measured {measured}, predicted {predicted}{'' if same else '  WRONG'}")


def main() -> None:
    """Print the tables, the scenarios left out, and how quick it is."""
    for name in TABLES:
        _print_table(name)
    print("left out of a fit to the three others and the sources (post_2022.csv): mean and worst error of its jobs")
    for scenario, mean, worst in left_out(rows(TABLES[0])):
        print(f"  {scenario}: {100 * mean:.1f} %, {100 * worst:.1f} %")
    question = rows(TABLES[0])[0].question
    began = time.perf_counter()
    for _ in range(PLANS):
        plan(question, VARIANTS["FSx"])
    print(f"{PLANS:,} plans in {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
