"""A training job as a YAML file: typed, and strict, so that a misspelt field is an error and not silence.

The file holds what people decide; the platform record adds what was deployed (bucket, roles, Region). What goes with
what is said by :mod:`headrace.rules`, which judge a job made in Python just so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from headrace.future_lustre import MAX_CAPACITY_ATTEMPTS, DataCompressionType
from headrace.roads import Access, Compression, Distribution, InputMode, Place, RecordWrapper, S3DataType
from headrace.rules.ephemeral_platform import LONGEST_HOURS
from headrace.training import CHECKPOINTS_PATH


def _as_text(value: Any) -> Any:
    """SageMaker's maps hold strings; a job made in Python may hold numbers and truths."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Strict(BaseModel):
    """Frozen; an unknown field is an error."""

    # built when it is used: all but JobFile are used as a part of it only
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ChannelModel(Strict):
    """One input channel: one of s3, lustre and efs, and what its road takes."""

    s3: str | None = Field(
        None, description="s3://bucket/prefix/, or a prefix in the platform's bucket: data/digits/; or a manifest's key"
    )
    lustre: str | None = Field(None, description="name of a link of the platform's FSx for Lustre")
    efs: str | None = Field(None, description="directory of the platform's EFS, such as /datasets/digits")
    path: str | None = Field(None, description="with lustre: the directory below the link")
    input_mode: InputMode | None = Field(
        None, description="File (default): copied before the script starts; FastFile: streamed on read; Pipe: a FIFO"
    )
    data_type: S3DataType | None = Field(None, description="what s3 names; S3Prefix by default")
    distribution: Distribution | None = Field(
        None, description="FullyReplicated (default), or ShardedByS3Key: each instance gets its share"
    )
    shuffle_seed: int | None = Field(None, ge=0, description="shuffle the objects; in Pipe mode anew in each epoch")
    compression: Compression | None = Field(None, description="Pipe only: Gzip, to be decompressed on the way")
    record_wrapper: RecordWrapper | None = Field(None, description="Pipe only: RecordIO, one record for each object")
    attribute_names: list[str] | None = Field(None, description="augmented manifest: members to send, in this order")
    instance_groups: list[str] | None = Field(None, description="only these groups get the channel")
    content_type: str | None = Field(None, description="MIME type, told to the script")
    access: Access | None = Field(None, description="lustre, efs: ro (default) or rw")

    @property
    def places(self) -> tuple[Place, ...]:
        """The sources that are named."""
        return tuple(place for place in Place if getattr(self, place) is not None)


class MetricModel(Strict):
    """A number read off the job's log."""

    name: str = Field(description="name of the metric")
    regex: str = Field(description="regular expression over the log; its first group is the value")


class InstanceGroupModel(Strict):
    """A group of a heterogeneous cluster."""

    instance_type: str = Field(description="such as `ml.g5.xlarge`")
    instance_count: int = Field(1, ge=1, description="how many instances")


class SpotModel(Strict):
    """Managed Spot training."""

    max_wait_seconds: int = Field(ge=1, description="waiting for capacity and running together")


class CheckpointsModel(Strict):
    """Where checkpoints are kept."""

    s3: str | None = Field(
        None,
        description="default: `checkpoints/<job name>/` in the platform's bucket; name one to go on from another run",
    )
    local_path: str = Field(CHECKPOINTS_PATH, description="where the script saves and finds them")


class CapacityRetryModel(Strict):
    """What to try when AWS has no capacity; needs `headrace train --wait`."""

    instance_types: list[str] = Field(default_factory=list, description="tried after instance_type, in this order")
    availability_zone_ids: list[str] = Field(default_factory=list, description="tried one by one, with each type")


class EphemeralModel(Strict):
    """The Lustre file system that `headrace train --ephemeral` makes for the job; read by nothing else."""

    storage_capacity_gib: int | None = Field(
        None, description="1200, 2400 or a multiple of 2400; default: what the data set fills to nine tenths at most"
    )
    preload: bool = Field(
        True, description="read every file once before the job starts, and compare the counts with what was imported"
    )
    preload_image: str | None = Field(
        None, min_length=1, description="image of the preload, any with a shell; default: the job's own"
    )
    preload_instance_type: str | None = Field(
        None, min_length=1, description="such as `ml.c5n.xlarge`; default: by the throughput of the file system"
    )
    data_compression_type: DataCompressionType = Field(
        DataCompressionType.NONE, description="LZ4: less to read from disk, where the data can be compressed"
    )
    availability_zone_id: str | None = Field(
        None, description="where it is made, such as `use1-az1`; default: the first zone where all channels meet"
    )
    capacity_attempts: int = Field(
        3, ge=1, le=MAX_CAPACITY_ATTEMPTS, description="how often the job is created while AWS has no capacity for it"
    )
    lifetime_hours: float | None = Field(
        None,
        gt=0,
        le=LONGEST_HOURS,
        allow_inf_nan=False,
        description="the file system goes after so long; default: enough for the slowest course of the flow",
    )


class OwnIngestionModel(Strict):
    """The script reads its data itself, with the rights of one of the platform's ingestion roles."""

    role: str = Field(description="name of an ingestion role of the platform")
    dataset: Text = Field(description="what is read; becomes a tag and a hyperparameter", min_length=1, max_length=256)
    version: Text | None = Field(None, description="its version; likewise", min_length=1, max_length=256)


class JobFile(Strict):
    """One training job. Either source_dir with entry_point, or command, or neither (the image's own entry point)."""

    image: str = Field(description="ECR image URI, or `repository:tag` in the platform's account and Region")
    instance_type: str | None = Field(None, description="such as `ml.m5.large`")
    instance_count: int = Field(1, ge=1, description="how many instances")
    instance_groups: dict[str, InstanceGroupModel] = Field(
        default_factory=dict, description="instead of instance_type: groups of a heterogeneous cluster, by name"
    )
    channels: dict[str, ChannelModel] = Field(
        default_factory=dict,
        description="name -> where its data lies; the script finds it at `/opt/ml/input/data/<name>`",
    )
    own_ingestion: OwnIngestionModel | None = Field(None, description="the script reads (also) other data itself")
    job_name: str | None = Field(None, description="exact name; begins with the platform's `job_name_prefix`")
    base_job_name: str | None = Field(None, description="name to which the platform's prefix and the time are added")
    source_dir: Path | None = Field(None, description="folder of the code, relative to this file; shipped as it is")
    dependencies: list[Path] = Field(
        default_factory=list, description="further files and folders, put beside the entry point; relative to this file"
    )
    entry_point: str | None = Field(None, description="script in source_dir, run by the image's `python3`")
    command: list[str] | None = Field(None, description="what the image runs, instead of source_dir and entry_point")
    arguments: list[Text] = Field(default_factory=list, description="arguments of the script or the command")
    volume_size_gb: int = Field(30, ge=1, description="size of each instance's volume; File mode copies the data to it")
    volume_kms_key: str | None = Field(None, description="key of the volume; not for instances with local NVMe")
    output: str | None = Field(None, description="where the model goes; default `output/` in the platform's bucket")
    output_kms_key: str | None = Field(None, description="key of the model; default: the platform's, if it has one")
    max_runtime_seconds: int = Field(86_400, ge=1, description="SageMaker stops the job after so long")
    max_pending_seconds: int | None = Field(None, ge=1, description="SageMaker gives up waiting for instances")
    spot: SpotModel | None = Field(None, description="train on Spot capacity")
    checkpoints: CheckpointsModel | None = Field(None, description="kept in S3; an interrupted job goes on from there")
    keep_alive_seconds: int | None = Field(None, description="warm pool: instances wait so long for the next job")
    capacity_retry: CapacityRetryModel = Field(
        CapacityRetryModel(), description="other instance types and zones when there is no capacity"
    )
    ephemeral: EphemeralModel = Field(
        EphemeralModel(), description="with `--ephemeral`: the file system that is made for this job, and goes with it"
    )
    internal_error_retries: int | None = Field(None, description="SageMaker repeats after errors of its own")
    availability_zone_ids: list[str] = Field(
        default_factory=list, description="run there only, such as `use1-az1`; default: where all channels are reached"
    )
    in_vpc: bool = Field(False, description="attach the job to the platform's network though no channel needs it")
    network_isolation: bool = Field(False, description="no network for the script; channels work")
    encrypt_between_instances: bool = Field(False, description="encrypt what instances tell each other; slower")
    hyperparameters: dict[str, Text] = Field(
        default_factory=dict, description="the script finds them in `/opt/ml/input/config/hyperparameters.json`"
    )
    environment: dict[str, Text] = Field(default_factory=dict, description="environment variables of the script")
    metric_definitions: list[MetricModel] = Field(
        default_factory=list, description="numbers read off the log, as `name` and `regex`"
    )
    tags: dict[str, Text] = Field(default_factory=dict, description="tags of the job, beside `headrace:platform`")
    role_arn: str | None = Field(None, description="execution role, instead of the platform's for these channels")
