"""What is asked: a data set, what a job does with it, on which instances, and what counts as best.

Pure records; what of them contradicts itself is told by :mod:`headrace.advisor.asking`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from headrace.advisor.speeds import Speeds, speeds
from headrace.dataset import Profile
from headrace.figures.instance_types import InstanceType
from headrace.figures.prices import Prices

MODEL_GB_DEFAULT = 0.1
SECONDS_PER_HOUR = 3600


class ReadOrder(StrEnum):
    """How a script reads: files from beginning to end, or samples from anywhere within them."""

    SEQUENTIAL = "sequential"
    RANDOM = "random"


class Goal(StrEnum):
    """What the best road is the best in."""

    COST = "cost"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a job does with the data set.

    ``samples``: in an epoch; None is one for each file. ``samples_per_second``: what an instance computes when it
    never waits for data; None: not known, and counted as no time. ``prepared_samples_per_second``: what its CPUs
    decode and augment; None: enough. ``readers``: files that an instance reads at the same time; None is one for each
    vCPU. ``image_gb``: None is a usual one. ``jobs``: that read the same data set, one after the other.
    ``can_pack``: whether the script could read shards of many samples instead.
    """

    epochs: float = 1
    samples: int | None = None
    samples_per_second: float | None = None
    prepared_samples_per_second: float | None = None
    read_order: ReadOrder = ReadOrder.SEQUENTIAL
    readers: int | None = None
    image_gb: float | None = None
    model_gb: float = MODEL_GB_DEFAULT
    jobs: int = 1
    can_pack: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Spot capacity. ``saving_percent``: off the price on demand. ``interruptions``: of a job, on the mean.

    ``checkpoint_seconds``: between two checkpoints; half of that is computed again after each interruption.
    """

    saving_percent: float
    interruptions: float = 1.0
    checkpoint_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The instances of the job. ``is_sharded``: each instance gets its share of the objects (ShardedByS3Key).

    ``is_warm``: the job finds a warm pool, with its image. ``volume_gb``: None is as large as is needed.
    """

    instance_type: InstanceType
    instances: int = 1
    is_sharded: bool = False
    is_warm: bool = False
    volume_gb: int | None = None
    spot: Spot | None = None

    @property
    def shares(self) -> int:
        """Among how many instances the objects are divided."""
        return self.instances if self.is_sharded else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that advice depends on. ``prices``: of the Region where the job runs.

    ``shared_lustre_gib``: capacity of a file system that stands for everybody and holds the data; 0 for none.
    ``speeds``: how fast things go, default the shipped rates.
    """

    profile: Profile
    workload: Workload
    fleet: Fleet
    prices: Prices
    goal: Goal = Goal.COST
    shared_lustre_gib: int = 0
    speeds: Speeds = field(default_factory=speeds)

    @property
    def samples(self) -> float:
        """Samples of an epoch."""
        return self.workload.samples if self.workload.samples is not None else self.profile.files

    @property
    def image_gb(self) -> float:
        """Size of the training image."""
        return self.speeds.image_gb.point if self.workload.image_gb is None else self.workload.image_gb

    @property
    def readers(self) -> int:
        """Files that an instance reads at the same time."""
        return self.workload.readers or self.fleet.instance_type.vcpus
