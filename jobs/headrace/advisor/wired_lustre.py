"""The settings and steps of a Lustre: links beside the platform's own one, and the caps of ephemeral file systems.

How long a file system of one job has to live is bounded here as ``headrace train --ephemeral`` works it out when the
data is listed: until it can be read, the preload's limit, the job's limit, and an hour to spare.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from headrace.advisor.plans import Plan
from headrace.advisor.question import SECONDS_PER_HOUR, Question
from headrace.advisor.wired_place import DATA, WiredPlace
from headrace.errors import InvalidInput
from headrace.figures.lustre_content import (
    content_mb_per_second,
    file_seconds,
    network_of,
    one_file_mb_per_second,
    readers_for,
)
from headrace.rules.ephemeral_platform import LONGEST_HOURS
from headrace.rules.lustre import DEFAULT_QUOTA_GIB

DATA_LINK: Final = "data"
_DEFAULT_MAX_GIB: Final = 9600
_DEFAULT_MAX_HOURS: Final = 30
_NAME_CHARACTERS: Final = 24
_OBJECTS_PER_SECOND: Final = 500
_CREATION_SECONDS: Final = 1800
_MARGIN_SECONDS: Final = 3600
_ONCE: Final = ("create", "import", "preload")
# of the preload's limit: until it has its instance and some patience; stalls; and of what is usual
_PRELOAD_START_SECONDS: Final = 2400
_STALLS: Final = 3
_USUAL_TIMES: Final = 8


def link_of(place: WiredPlace) -> str:
    """The name of the link that shows the place: the platform's own one, or one named after the folder."""
    if place.is_below_data:
        return DATA_LINK
    name = re.sub(r"[^a-z0-9]+", "-", place.folder.lower()).strip("-")[:_NAME_CHARACTERS].strip("-")
    if not name or name == DATA_LINK:
        return "dataset"
    return name if name[0].isalpha() else f"set-{name}"


def links_of(place: WiredPlace) -> dict[str, Any]:
    """The setting ``links``: nothing where the default shows the place; else both, since one alone replaces it."""
    if place.is_below_data:
        return {}
    name = link_of(place)
    default = {"name": DATA_LINK, "path": f"/{DATA_LINK}", "prefix": DATA}
    own = {"name": name, "path": f"/{name}", "bucket": place.bucket, "prefix": place.folder}
    return {"links": [default, own]}


def caps_of(capacity_gib: int, hours: float) -> dict[str, int]:
    """What of the caps has to be raised. Raises InvalidInput for what no platform allows."""
    if capacity_gib > DEFAULT_QUOTA_GIB:
        raise InvalidInput(
            f"the ephemeral file system is {capacity_gib:,} GiB; allowed: {DEFAULT_QUOTA_GIB:,} GiB for all that live "
            "at once; fix: a shared one, whose quota can be raised"
        )
    if hours > LONGEST_HOURS:
        raise InvalidInput(
            f"the ephemeral file system lives for up to {math.ceil(hours):,} h; allowed: {LONGEST_HOURS} h; "
            "fix: a shared one, or a shorter job"
        )
    caps = {}
    if capacity_gib > _DEFAULT_MAX_GIB:
        caps["max_gib"] = capacity_gib
    if hours > _DEFAULT_MAX_HOURS:
        caps["max_hours"] = math.ceil(hours)
    return caps


def expected_hours(plan: Plan) -> float:
    """How long the file system of one job lives at the most, as the plan expects it."""
    return (plan.waiting_seconds.high + plan.billed_seconds.high + _MARGIN_SECONDS) / SECONDS_PER_HOUR


def limited_hours(plan: Plan, question: Question, job: Mapping[str, Any]) -> float:
    """How long it lives where everything takes as long as it may."""
    profile = question.profile
    ready = _CREATION_SECONDS + math.ceil((profile.files + profile.folder_markers) / _OBJECTS_PER_SECOND)
    reader = job["ephemeral"].get("preload_instance_type")
    preload = 0.0 if reader is None else _preload_limit_seconds(plan.variant.capacity_gib, question, reader)
    running = job["spot"]["max_wait_seconds"] if "spot" in job else job["max_runtime_seconds"]
    return float(ready + preload + running + _MARGIN_SECONDS) / SECONDS_PER_HOUR


def _preload_limit_seconds(capacity_gib: int, question: Question, instance_type: str) -> float:
    megabytes, content = question.profile.size_bytes / 1e6, content_mb_per_second(capacity_gib)
    network = network_of(instance_type)
    usual = max(
        megabytes / content,
        question.profile.files * file_seconds() / readers_for(content),
        megabytes / network if network else 0.0,
    )
    largest_mb = max((each.to_bytes for each in question.profile.sizes), default=0) / 1e6
    return _PRELOAD_START_SECONDS + _STALLS * largest_mb / one_file_mb_per_second() + _USUAL_TIMES * usual


def jobs_in_a_block(plan: Plan, jobs: int) -> tuple[int, int]:
    """How many of the jobs one file system lives for, and the hours of that; all of them if it lives that long."""
    # the plan has each job's share of what is done once
    once = _MARGIN_SECONDS + jobs * sum(each.high for name, each in plan.waiting.items() if name in _ONCE)
    one_job = plan.billed_seconds.high + sum(each.high for name, each in plan.waiting.items() if name not in _ONCE)
    fit = max(1, min(jobs, int((LONGEST_HOURS * SECONDS_PER_HOUR - once) // one_job)))
    return fit, math.ceil((once + fit * one_job) / SECONDS_PER_HOUR)
