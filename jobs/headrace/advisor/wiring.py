"""From a plan to the platform's settings, the job file and the commands that make it so.

What lies below ``data/`` of the platform's bucket is shown by the links that every platform has; another prefix is
declared as a data location and linked by a name of its own. The bucket of the profile is taken for the platform's own
where its prefix begins with ``data/``; ``headrace check`` tells if it is not.
A step is a command that can be pasted, or a line that begins with ``#``: what else is to be known or done there.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.advisor.helper_jobs import preload_instance
from headrace.advisor.plans import Plan
from headrace.advisor.question import Question
from headrace.advisor.variants import LustreState, stands
from headrace.advisor.wired_job import job_of, pool_note
from headrace.advisor.wired_lustre import (
    caps_of,
    expected_hours,
    jobs_in_a_block,
    limited_hours,
    link_of,
    links_of,
)
from headrace.advisor.wired_place import WiredPlace, wired_place
from headrace.dataset.profile import Where
from headrace.roads import EFS, LUSTRE, InputMode
from headrace.rules.ephemeral_platform import LONGEST_HOURS

IMAGE: Final = "IMAGE"
"""Stands for the job's image where that is not known."""
_DEPLOY: Final = "make deploy"
_MB_PER_MIB: Final = 1.048576
_HOLD: Final = """\
import headrace, headrace.preload
with headrace.ephemeral.lustre({links!r}, hours={hours}, storage_capacity_gib={capacity_gib}) as fs:
    headrace.preload.preload(
        {link!r}, path={below!r}, image={image!r}, instance_type={reader!r}, platform=fs.platform
    )
    for _ in range({jobs}):
        headrace.train({job_path!r}, platform=fs.platform).require_completed()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """``settings``: to merge into an environment of cdk.json. ``job``: a job file. ``steps``: in order."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any]
    steps: tuple[str, ...]


def wiring_of(plan: Plan, question: Question, image: str, job_path: str = "job.yaml") -> Wiring:
    """How the plan is made. ``image``: of the job.

    Raises InvalidInput for a data set that is not where a job reads, and for what no platform allows.
    """
    asked = _Asked(plan=plan, question=question, image=image, job_path=job_path)
    if plan.variant.road is EFS and question.profile.where is Where.EFS:
        return _in_efs(asked)
    place = wired_place(plan.variant, question)
    if plan.variant.road is EFS:
        return _over_efs(asked, place)
    if plan.variant.road is LUSTRE:
        state = plan.variant.lustre
        assert state is not None
        return _over_shared_lustre(asked, place) if state.is_shared else _over_ephemeral_lustre(asked, place, state)
    return _over_s3(asked, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    plan: Plan
    question: Question
    image: str
    job_path: str

    def job(self, channel: Mapping[str, Any]) -> dict[str, Any]:
        """The job file with this channel."""
        return job_of(self.plan, self.question, self.image, channel)

    def wired(
        self,
        settings: Mapping[str, Any],
        job: Mapping[str, Any],
        *steps: str,
        notes: tuple[str, ...] = (),
        warning: str | None = None,
        train: str | None = None,
    ) -> Wiring:
        """All of it, in the order in which it has to be done. ``warning``: of what a deployment would change."""
        deploy = (*(() if warning is None else (_comment(warning),)), _DEPLOY) if settings else ()
        told = tuple(map(_comment, (*notes, *pool_note(self.question))))
        last = train or _command("train", self.job_path)
        if self.image == IMAGE and any(IMAGE in each for each in (*steps, last)):
            told = (*told, _comment(f"{IMAGE} stands for your image in ECR: repository:tag, or its URI (--image)"))
        return Wiring(settings=settings, job=job, steps=(*deploy, *told, *steps, last))


def _over_s3(asked: _Asked, place: WiredPlace) -> Wiring:
    mode = asked.plan.variant.road.input_mode
    channel = {"s3": f"s3://{place.bucket}/{place.prefix}"}
    if mode is not InputMode.FILE:
        channel["input_mode"] = mode.value
    if asked.question.fleet.is_sharded:
        channel["distribution"] = "ShardedByS3Key"
    return asked.wired(_data_locations(place), asked.job(channel), notes=place.notes)


def _over_shared_lustre(asked: _Asked, place: WiredPlace) -> Wiring:
    variant = asked.plan.variant
    there = stands(variant, asked.question)
    capacity = {} if there else {"enabled": True, "storage_capacity_gib": variant.capacity_gib}
    lustre = {**capacity, **links_of(place)}
    below = place.below_data if place.is_below_data else ""
    steps: tuple[str, ...] = ()
    if variant.lustre is LustreState.SHARED_WARM:
        reader = preload_instance(asked.question, variant.capacity_gib)
        path = ("--path", below) if below else ()
        steps = (_command("preload", link_of(place), *path, "--image", asked.image, "--instance-type", reader),)
    note = f"{_DEPLOY} changes a Lustre of another capacity for all who read it: see cdk diff before"
    return asked.wired(
        {**_data_locations(place), **({"lustre": lustre} if lustre else {})},
        asked.job(_lustre_channel(place)),
        *steps,
        notes=place.notes,
        warning=None if there else note,
    )


def _over_ephemeral_lustre(asked: _Asked, place: WiredPlace, state: LustreState) -> Wiring:
    plan, question = asked.plan, asked.question
    capacity_gib = plan.variant.capacity_gib
    job = asked.job(_lustre_channel(place))
    if state is LustreState.HELD_PRELOADED:
        return _held(asked, place, job)
    job["ephemeral"] = {"storage_capacity_gib": capacity_gib, "preload": state.is_preloaded}
    if state.is_preloaded:
        job["ephemeral"]["preload_instance_type"] = preload_instance(question, capacity_gib)
    hours = limited_hours(plan, question, job)
    if hours > LONGEST_HOURS >= expected_hours(plan):
        # by its limits alone it might take longer than any file system lives
        hours = job["ephemeral"]["lifetime_hours"] = LONGEST_HOURS
    ephemeral = {"enabled": True, **links_of(place), **caps_of(capacity_gib, hours)}
    train = _command("train", asked.job_path, "--ephemeral")
    return asked.wired({**_data_locations(place), "ephemeral": ephemeral}, job, notes=place.notes, train=train)


def _held(asked: _Asked, place: WiredPlace, job: Mapping[str, Any]) -> Wiring:
    jobs, capacity_gib = asked.question.workload.jobs, asked.plan.variant.capacity_gib
    fit, hours = jobs_in_a_block(asked.plan, jobs)
    link, below = link_of(place), place.below_data if place.is_below_data else ""
    notes = place.notes
    if fit < jobs:
        notes += (f"in blocks of {fit:,} jobs: a file system lives for {LONGEST_HOURS} h at most",)
    program = _HOLD.format(
        links={link: below},
        link=link,
        below=below,
        hours=hours,
        capacity_gib=capacity_gib,
        image=asked.image,
        reader=preload_instance(asked.question, capacity_gib),
        jobs=fit,
        job_path=asked.job_path,
    )
    train = shlex.join(("python", "-c", program))
    ephemeral = {"enabled": True, **links_of(place), **caps_of(capacity_gib, hours)}
    settings = {**_data_locations(place), "ephemeral": ephemeral}
    return asked.wired(settings, job, notes=notes, train=train)


def _lustre_channel(place: WiredPlace) -> dict[str, str]:
    path = {"path": place.below_data} if place.is_below_data and place.below_data else {}
    return {"lustre": link_of(place), **path}


def _in_efs(asked: _Asked) -> Wiring:
    directory = f"/{asked.question.profile.location.strip('/')}"
    return asked.wired(_efs_settings(asked.plan), asked.job({"efs": directory}), warning=_EFS_NOTE)


def _over_efs(asked: _Asked, place: WiredPlace) -> Wiring:
    directory = f"/{place.folder.rstrip('/')}"
    load = _command("efs", "load", place.uri, "--to", directory, "--image", asked.image)
    settings = {**_data_locations(place), **_efs_settings(asked.plan)}
    return asked.wired(settings, asked.job({"efs": directory}), load, notes=place.notes, warning=_EFS_NOTE)


_EFS_NOTE: Final = (
    f"{_DEPLOY} changes an EFS of another throughput mode, or of another provisioned throughput, for all who use it: "
    "see cdk diff before"
)


def _efs_settings(plan: Plan) -> dict[str, Any]:
    mode = plan.variant.efs_mode
    assert mode is not None
    throughput: dict[str, Any] = {"throughput_mode": mode.value}
    if plan.provisioned_mbps is not None:
        throughput["provisioned_throughput_mibps"] = max(1, math.ceil(plan.provisioned_mbps / _MB_PER_MIB))
    return {"efs": {"enabled": True, **throughput}}


def _data_locations(place: WiredPlace) -> dict[str, Any]:
    if place.is_below_data:
        return {}
    return {"data_locations": [{"bucket": place.bucket, "prefix": place.folder}]}


def _command(*words: str) -> str:
    """A command that can be pasted: locations are somebody else's text."""
    return shlex.join(("headrace", *words))


def _comment(text: str) -> str:
    """A line that a shell leaves alone, whatever is in it."""
    return f"# {' '.join(text.split())}"
