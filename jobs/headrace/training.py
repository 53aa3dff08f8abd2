"""A training job as people think of it, in frozen records.

A job's code travels as one archive in a channel of its own, ``code``, and is unpacked by a line of shell: that
works in any image that has Python, and needs no training toolkit in it.
:mod:`headrace.training_request` makes the CreateTrainingJob request of a job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headrace.channels import Channel
from headrace.roads import InputMode
from headrace.rules.job import GroupSpec, JobSpec
from headrace.sources import S3FileSource, S3Location

# CreateTrainingJob, TrainingJobName
MAX_JOB_NAME_CHARACTERS = 63
CODE_CHANNEL = "code"
SOURCE_ARCHIVE = "source.tar.gz"
CHECKPOINTS_PATH = "/opt/ml/checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A number to be read off the job's log: the first group of ``regex`` is its value."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """A group of equal instances in a heterogeneous cluster."""

    name: str
    instance_type: str
    instance_count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Managed Spot training. ``max_wait_seconds`` counts waiting for capacity and running together."""

    max_wait_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Where checkpoints are kept: SageMaker copies ``local_path`` there, and back when an interrupted job goes on."""

    location: S3Location
    local_path: str = CHECKPOINTS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRetry:
    """What to try when AWS has no capacity: these types after the job's own, each in these zones (by id) in turn."""

    instance_types: tuple[str, ...] = ()
    availability_zone_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIngestion:
    """The script reads its data itself, with the rights of a role that the platform declares for it.

    ``role``: the name of one of the platform's ingestion roles. ``dataset`` and ``version`` say what is read; they
    become tags and hyperparameters of the job, so that a model can be traced to its data.
    """

    role: str
    dataset: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training job.

    ``image``: an ECR image URI, or ``repository:tag`` in the platform's account and Region.
    ``entry_point``: a script inside ``source_dir``, run by the image's Python; or ``command``: what the image runs
    (its own entry point where both are None). ``dependencies``: further files and folders, put beside the entry
    point. ``role_arn``: instead of the platform's role for these channels.
    Either ``instance_type`` with ``instance_count``, or ``instance_groups``. ``output``: default is the platform's
    ``output/``. ``availability_zone_ids``: only there; none means wherever the channels can be reached.
    ``in_vpc``: attach the job to the platform's subnets even where no channel needs it.
    """

    name: str
    image: str
    channels: tuple[Channel, ...]
    instance_type: str | None = None
    instance_count: int = 1
    instance_groups: tuple[InstanceGroup, ...] = ()
    entry_point: str | None = None
    source_dir: str | None = None
    dependencies: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()
    volume_size_gb: int = 30
    volume_kms_key: str | None = None
    output: S3Location | None = None
    output_kms_key: str | None = None
    max_runtime_seconds: int = 86_400
    max_pending_seconds: int | None = None
    spot: Spot | None = None
    checkpoints: Checkpoints | None = None
    keep_alive_seconds: int | None = None
    capacity_retry: CapacityRetry = field(default_factory=CapacityRetry)
    internal_error_retries: int | None = None
    availability_zone_ids: tuple[str, ...] = ()
    in_vpc: bool = False
    network_isolation: bool = False
    encrypt_between_instances: bool = False
    own_ingestion: OwnIngestion | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    metric_definitions: tuple[MetricDefinition, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None

    @property
    def total_instances(self) -> int:
        """Instances of all groups."""
        return sum(each.instance_count for each in self.instance_groups) or self.instance_count


def needs_vpc(job: TrainingJob) -> bool:
    """Whether the job must be attached to the platform's subnets for a reason of its own."""
    named_zones = job.availability_zone_ids or job.capacity_retry.availability_zone_ids
    by_road = any(channel.source.road.needs_vpc for channel in job.channels)
    return bool(by_road or job.in_vpc or job.own_ingestion or named_zones)


def all_channels(job: TrainingJob, bucket: str) -> tuple[Channel, ...]:
    """The job's channels, and the one that its code travels in. ``bucket``: the platform's."""
    if job.entry_point is None:
        return job.channels
    archive = source_archive_location(job, bucket)
    folder = S3Location(bucket=archive.bucket, prefix=archive.prefix.removesuffix(SOURCE_ARCHIVE))
    return (*job.channels, Channel(name=CODE_CHANNEL, source=S3FileSource(location=folder)))


def source_archive_location(job: TrainingJob, bucket: str) -> S3Location:
    """Where the job's code is uploaded to: a folder of its own, since the code channel takes the whole folder."""
    return S3Location(bucket=bucket, prefix=f"code/{job.name}/{SOURCE_ARCHIVE}")


def job_spec(job: TrainingJob, bucket: str) -> JobSpec:
    """The job as the rules see it."""
    return replace(
        _what_it_runs_on(job, all_channels(job, bucket)),
        entry_point=job.entry_point,
        source_dir=job.source_dir,
        dependencies=job.dependencies,
        command=job.command,
        tag_keys=tuple(job.tags),
        metric_regexes=tuple(each.regex for each in job.metric_definitions),
        checkpoint_path=None if job.checkpoints is None else job.checkpoints.local_path,
        image=job.image,
        keys=tuple(_keys(job, bucket)),
        hyperparameters=tuple(job.hyperparameters),
        ingestion_role=None if job.own_ingestion is None else job.own_ingestion.role,
        has_own_role=job.role_arn is not None,
    )


def _what_it_runs_on(job: TrainingJob, channels: Sequence[Channel]) -> JobSpec:
    return JobSpec(
        channels=tuple((each.name, getattr(each.source, "instance_groups", ())) for each in channels),
        sharded_channels=tuple(
            each.name for each in channels if getattr(each.source, "distribution", None) == "ShardedByS3Key"
        ),
        pipe_channels=tuple(each.name for each in channels if each.source.road.input_mode is InputMode.PIPE),
        instance_type=job.instance_type,
        instance_count=job.instance_count,
        groups=tuple(
            GroupSpec(name=each.name, instance_type=each.instance_type, instance_count=each.instance_count)
            for each in job.instance_groups
        ),
        max_runtime_seconds=job.max_runtime_seconds,
        is_spot=job.spot is not None,
        max_wait_seconds=None if job.spot is None else job.spot.max_wait_seconds,
        has_checkpoints=job.checkpoints is not None,
        keep_alive_seconds=job.keep_alive_seconds,
        has_volume_key=job.volume_kms_key is not None,
        is_isolated=job.network_isolation,
        has_own_ingestion=job.own_ingestion is not None,
        retry_instance_types=job.capacity_retry.instance_types,
        retry_az_ids=job.capacity_retry.availability_zone_ids,
    )


def _keys(job: TrainingJob, bucket: str) -> Iterator[tuple[str, str]]:
    """The keys that must be in the job's Region: S3 wants one of the bucket's, which may be elsewhere."""
    if job.volume_kms_key is not None:
        yield "volume_kms_key", job.volume_kms_key
    if job.output_kms_key is not None and (job.output is None or job.output.bucket == bucket):
        yield "output_kms_key", job.output_kms_key
