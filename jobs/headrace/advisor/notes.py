"""What a reader of the figures should know: what was not given, what is not known, and as of when the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headrace.advisor.advice import Advice
from headrace.dataset.profile import Where
from headrace.figures.rates import rates
from headrace.rules.lustre import DEFAULT_QUOTA_GIB


def notes_on(advice: Advice) -> Iterator[str]:
    """One line each."""
    yield from _of_the_question(advice)
    yield from _of_prices(advice)
    read = _first_to_last(each.read for each in rates().values())
    yield (
        f"rates as read in {read}; an interval is what is usual, and says "
        "nothing of a script that reads in another way than it was asked for here"
    )


def _of_the_question(advice: Advice) -> Iterator[str]:
    question = advice.question
    workload, profile = question.workload, question.profile
    if workload.samples_per_second is None:
        yield "samples per second are not known, so computing counts as no time; give --samples-per-second"
    containers = [each for each in profile.formats if each.is_container]
    if workload.samples is None and containers:
        names = ", ".join(each.suffix or "no suffix" for each in containers[:3])
        yield f"files of several samples ({names}) are counted as one sample each; give --samples"
    if profile.sample_error is not None:
        error = profile.sample_error
        yield (
            f"the profile is an estimate: {error.files_low:,} to {error.files_high:,} files, "
            f"{error.size_bytes_low / 1e9:,.1f} to {error.size_bytes_high / 1e9:,.1f} GB"
        )
    if profile.where is Where.LOCAL:
        yield "the data set lies on this machine: its upload to S3 is not counted"
    largest = max((each.plan.variant.capacity_gib for each in advice.ranked), default=0)
    if largest > DEFAULT_QUOTA_GIB:
        yield f"a Lustre of {largest:,} GiB needs a higher quota than the {DEFAULT_QUOTA_GIB:,} GiB of an account (V38)"
    readers = question.readers * question.fleet.instances
    if profile.files < readers:
        yield (
            f"{profile.files:,} file(s) for {readers:,} readers: figures take it that several readers share a file, "
            "and with one reader for each file reading is slower"
        )
    if question.fleet.spot is not None:
        yield "what Spot waits for capacity is not counted"
    if question.fleet.instance_type.network_gbit_per_second is None:
        yield f"the network of {question.fleet.instance_type.name} is not known, and bounds nothing here"


def _of_prices(advice: Advice) -> Iterator[str]:
    prices = advice.question.prices
    missing = sorted({cost.name for each in advice.ranked for cost in each.plan.costs if cost.usd is None})
    if missing:
        yield f"no price is known in {prices.region} for: {', '.join(missing)}; headrace prices update finds them"
    if prices.of:
        dates = _first_to_last(each.date for each in prices.of.values())
        yield f"list prices of {prices.region}, on demand, as of {dates}"
    yield (
        "where the data lies now is not counted, since it is paid for anyway; copies in EFS and shards are stored for "
        "a month, which the jobs share"
    )


def _first_to_last(dates: Iterable[str]) -> str:
    every = sorted(dates)
    return " to ".join(dict.fromkeys((every[0], every[-1])))
