"""From what people say to a question: names looked up, and everything that is wrong told at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from headrace.advisor.question import (
    MODEL_GB_DEFAULT,
    Fleet,
    Goal,
    Question,
    ReadOrder,
    Spot,
    Workload,
)
from headrace.dataset import Profile
from headrace.errors import InvalidInput
from headrace.figures.instance_types import InstanceType, instance_type
from headrace.figures.prices import prices
from headrace.figures.snapshot import Snapshot, read_snapshot
from headrace.rules.lustre_sizing import CAPACITIES, is_legal_capacity

DEFAULT_REGION: Final = "us-east-1"
_MOST: Final = 1e15
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about a data set; each field is an option of ``headrace advise``, with hyphens.

    ``instance``: such as ``ml.g5.2xlarge``. ``spot_saving_percent``: None is on demand. ``shared_lustre``: GiB of a
    file system that stands for everybody and holds the data, 0 for none. What is left out has the default of
    :class:`headrace.advisor.question.Workload`.
    """

    instance: str
    instances: int = 1
    epochs: float = 1
    samples: int | None = None
    samples_per_second: float | None = None
    prepared_samples_per_second: float | None = None
    access: ReadOrder = ReadOrder.SEQUENTIAL
    readers: int | None = None
    jobs: int = 1
    can_pack: bool = True
    image_gb: float | None = None
    model_gb: float = MODEL_GB_DEFAULT
    sharded: bool = False
    warm: bool = False
    volume_gb: int | None = None
    spot_saving_percent: float | None = None
    interruptions: float | None = None
    checkpoint_minutes: float | None = None
    by: Goal = Goal.COST
    region: str | None = None
    shared_lustre: int = 0


def question_about(profile: Profile, asked: Asked, snapshot: Snapshot | None = None) -> Question:
    """The question. ``snapshot``: of shapes and prices, default the shipped one.

    The Region is the one that was asked for, the bucket's, or us-east-1. Raises InvalidInput with every mistake.
    """
    problems = [*_empty(profile), *_out_of_range(asked), *_contradictions(asked)]
    known = snapshot or read_snapshot()
    kind = None
    try:
        kind = instance_type(asked.instance, known)
    except InvalidInput as error:
        problems += [f"--instance: {each}" for each in error.problems]
    problems += _of_fleet(asked, profile, kind)
    if problems or kind is None:
        raise InvalidInput(*problems)
    return Question(
        profile=profile,
        workload=Workload(
            epochs=asked.epochs,
            samples=asked.samples,
            samples_per_second=asked.samples_per_second,
            prepared_samples_per_second=asked.prepared_samples_per_second,
            read_order=ReadOrder(asked.access),
            readers=asked.readers,
            image_gb=asked.image_gb,
            model_gb=asked.model_gb,
            jobs=asked.jobs,
            can_pack=asked.can_pack,
        ),
        fleet=Fleet(
            instance_type=kind,
            instances=asked.instances,
            is_sharded=asked.sharded,
            is_warm=asked.warm,
            volume_gb=asked.volume_gb,
            spot=_spot(asked),
        ),
        prices=prices(asked.region or profile.region or DEFAULT_REGION, known),
        goal=Goal(asked.by),
        shared_lustre_gib=asked.shared_lustre,
    )


def _spot(asked: Asked) -> Spot | None:
    if asked.spot_saving_percent is None:
        return None
    given = {"interruptions": asked.interruptions}
    if asked.checkpoint_minutes is not None:
        given["checkpoint_seconds"] = asked.checkpoint_minutes * 60
    return Spot(
        saving_percent=asked.spot_saving_percent, **{name: each for name, each in given.items() if each is not None}
    )


def _empty(profile: Profile) -> Iterator[str]:
    if not profile.files:
        yield f"{profile.location} holds no file; allowed: a data set; fix: correct the prefix, or profile it again"


def _out_of_range(asked: Asked) -> Iterator[str]:
    at_least_one = ("instances", "samples", "readers", "jobs", "volume_gb")
    positive = ("epochs", "samples_per_second", "prepared_samples_per_second")
    not_negative = ("image_gb", "model_gb", "interruptions", "checkpoint_minutes")
    for names, least, allowed in (
        (at_least_one, 1, "a whole number of at least 1"),
        (positive, math.ulp(0.0), "a number above 0"),
        (not_negative, 0, "a number of at least 0"),
    ):
        for name in names:
            value = getattr(asked, name)
            if value is not None and not least <= value <= _MOST:
                yield f"{option(name)} is {value}; allowed: {allowed}; fix: give one"
    saving = asked.spot_saving_percent
    if saving is not None and not 0 <= saving < 100:
        allowed = "percent off the price on demand, from 0 to below 100"
        yield f"--spot-saving is {saving}; allowed: {allowed}; fix: give such a number"


def _contradictions(asked: Asked) -> Iterator[str]:
    if asked.spot_saving_percent is None:
        for name in ("interruptions", "checkpoint_minutes"):
            if getattr(asked, name) is not None:
                allowed = "only with --spot-saving"
                yield f"{option(name)} is {getattr(asked, name)}; allowed: {allowed}; fix: give both, or neither"
    elif asked.warm:
        yield "--warm is given with --spot-saving; allowed: one of them: warm pools take no Spot; fix: choose one"
    if asked.sharded and asked.instances == 1:
        yield "--sharded is given for one instance; allowed: with --instances 2 or more; fix: leave it out"


def _of_fleet(asked: Asked, profile: Profile, kind: InstanceType | None) -> Iterator[str]:
    if asked.sharded and asked.instances > max(1, profile.files):
        allowed = f"at most {profile.files:,}, one for each file"
        yield f"--instances is {asked.instances} with --sharded; allowed: {allowed}; fix: give fewer"
    if kind is not None and kind.nvme_gb and asked.volume_gb is not None:
        allowed = f"nothing for {kind.name}, which brings {kind.nvme_gb:,} GB of its own"
        yield f"--volume-gb is {asked.volume_gb}; allowed: {allowed}; fix: leave it out"
    if asked.region is not None and not _REGION.fullmatch(asked.region):
        yield f"--region is {asked.region!r}; allowed: the name of a Region; fix: write it like us-east-1"
    if asked.shared_lustre and not is_legal_capacity(asked.shared_lustre):
        yield f"--shared-lustre is {asked.shared_lustre}; allowed: 0 for none, or {CAPACITIES} GiB; fix: give one"


def option(name: str) -> str:
    """How a field is called on the command line."""
    special = {"spot_saving_percent": "--spot-saving"}
    return special.get(name, f"--{name.replace('_', '-')}")
