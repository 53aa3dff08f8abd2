"""An existing job file with the advised road: what the road does not decide stays as it was.

The road decides the channel's source, the instances, and what of the volume, the limits and an ephemeral file system it
needs at the least. What cannot stay beside it is left out, and every such thing is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.advisor.plans import Plan
from headrace.advisor.question import Question
from headrace.advisor.wired_job import CHANNEL
from headrace.advisor.wired_lustre import expected_hours
from headrace.errors import InvalidInput
from headrace.roads import Compression, Distribution, InputMode, Place, RecordWrapper, S3DataType
from headrace.rules.job import MAX_SECONDS

_SOURCE: Final = frozenset({*Place, "path", "input_mode"})
_NOTHING: Final = (None, Compression.NONE, RecordWrapper.NONE, S3DataType.S3_PREFIX, Distribution.FULLY_REPLICATED)
"""Values that ask for nothing, so that nothing is lost without them."""
_OF_THE_OLD_DATA: Final = frozenset({"data_type", "attribute_names"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The job file, and what people have to know of it: what was left out, and what is to be looked at."""

    job: Mapping[str, Any]
    told: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Merging:
    plan: Plan
    question: Question
    advised: Mapping[str, Any]
    like: Mapping[str, Any]
    told: list[str] = field(default_factory=list)


def merged(plan: Plan, question: Question, advised: Mapping[str, Any], like: Mapping[str, Any]) -> Merged:
    """``advised``: the job of the plan's wiring. ``like``: what the existing file says, without defaults.

    The channel that is replaced is the only one, or ``train``. Raises InvalidInput for instance groups, of which the
    advice knows nothing.
    """
    if like.get("instance_groups"):
        raise InvalidInput(
            "--like has instance_groups; allowed: one instance type, which the advice is about; fix: name one"
        )
    merging = _Merging(plan=plan, question=question, advised=advised, like=like)
    job = {**advised, **like, **{each: advised[each] for each in ("instance_type", "instance_count")}}
    job["channels"] = _channels(merging)
    job["max_runtime_seconds"] = max(like.get("max_runtime_seconds") or 0, advised["max_runtime_seconds"])
    for name, value in (*_volume(merging), *_capacity(merging, job), *_ephemeral(merging, job)):
        if value is None:
            job.pop(name, None)
        else:
            job[name] = value
    return Merged(job=job, told=tuple(merging.told))


def _channels(merging: _Merging) -> dict[str, Any]:
    channels = dict(merging.like.get("channels") or {})
    name = next(iter(channels)) if len(channels) == 1 else CHANNEL
    if channels and name not in channels:
        merging.told.append(f"channel {name} is added beside {', '.join(channels)}")
    channel = dict(merging.advised["channels"][CHANNEL])
    options = merging.plan.variant.road.options
    for option, value in channels.get(name, {}).items():
        if option in _SOURCE or option in channel:
            continue
        if option in options and option not in _OF_THE_OLD_DATA and option != "distribution":
            channel[option] = value
        elif value not in _NOTHING:
            merging.told.append(f"channels.{name}.{option} is left out, {_why_not(option, merging)}: it was {value!r}")
    return {**channels, name: channel}


def _why_not(option: str, merging: _Merging) -> str:
    if option == "distribution" and option in merging.plan.variant.road.options:
        return "since the advice is for instances that read all (--sharded)"
    if option in _OF_THE_OLD_DATA:
        return "since it is about the data that was there"
    return f"which {merging.plan.variant.road.name} does not take"


def _volume(merging: _Merging) -> Iterator[tuple[str, Any]]:
    had, needed = merging.like.get("volume_size_gb"), merging.advised.get("volume_size_gb")
    nvme_gb = merging.question.fleet.instance_type.nvme_gb
    if nvme_gb:
        if had is not None and had > nvme_gb:
            merging.told.append(f"volume_size_gb is left out, of an instance with {nvme_gb:,} GB of NVMe: it was {had}")
            yield "volume_size_gb", None
        return
    volume = max(had or 0, needed or 0)
    others = [
        name
        for name, each in (merging.like.get("channels") or {}).items()
        if each.get("s3") is not None and each.get("input_mode") in (None, InputMode.FILE)
    ]
    if len(merging.like.get("channels") or {}) > 1 and (copied := [each for each in others if each != CHANNEL]):
        merging.told.append(
            f"volume_size_gb is {volume}, which has to hold {', '.join(copied)} as well: headrace check counts all"
        )
    yield "volume_size_gb", volume


def _capacity(merging: _Merging, job: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Spot, checkpoints and the warm pool. Spot and a warm pool exclude each other, so the question decides."""
    fleet, like = merging.question.fleet, merging.like
    spot, pool = like.get("spot"), like.get("keep_alive_seconds")
    if spot and fleet.is_warm:
        merging.told.append("spot is left out: --warm is given, and a warm pool is on demand")
        spot = None
    elif spot and fleet.spot is None:
        merging.told.append("spot stays as it was; the advice is for instances on demand (--spot-saving)")
    if pool and fleet.spot is not None:
        merging.told.append(f"keep_alive_seconds is left out, on Spot: it was {pool}")
        pool = None
    wait = max((each or {}).get("max_wait_seconds", 0) for each in (spot, merging.advised.get("spot")))
    if wait:
        wait = min(MAX_SECONDS, max(wait, job["max_runtime_seconds"]))
    yield "spot", {"max_wait_seconds": wait} if wait else None
    checkpoints = like.get("checkpoints")
    yield "checkpoints", {} if checkpoints is None and wait else checkpoints
    yield "keep_alive_seconds", pool if pool is not None else merging.advised.get("keep_alive_seconds")


def _ephemeral(merging: _Merging, job: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What was asked of the file system stays, where it does not contradict what is advised."""
    advised, had = merging.advised.get("ephemeral"), dict(merging.like.get("ephemeral") or {})
    if advised is None:
        return
    for option, value in advised.items():
        if had.get(option) not in (None, value):
            merging.told.append(f"ephemeral.{option} is {value!r}, as the advice has it: it was {had[option]!r}")
    hours, needed = had.get("lifetime_hours"), expected_hours(merging.plan)
    if hours is not None and "lifetime_hours" not in advised:
        if hours < needed:
            had.pop("lifetime_hours")
            merging.told.append(
                f"ephemeral.lifetime_hours is left out: the job may need {needed:.1f}, it was {hours:g}"
            )
        else:
            merging.told.append(f"ephemeral.lifetime_hours is {hours:g}: ephemeral.max_hours has to hold it (V153)")
    elif job["max_runtime_seconds"] > merging.advised["max_runtime_seconds"]:
        merging.told.append(
            f"max_runtime_seconds is {job['max_runtime_seconds']}, as it was: ephemeral.max_hours has to hold it (V153)"
        )
    yield "ephemeral", {**had, **advised}
