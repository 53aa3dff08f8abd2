"""A training job as a YAML file: typed, and strict, so that a misspelt field is an error and not silence.

The file holds what people decide; the platform record adds what was deployed (bucket, roles, Region). All mistakes
of a file are reported together, each with its place in the file.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from headrace import source_archive
from headrace.channels import Channel
from headrace.errors import InvalidInput
from headrace.platform import FoundationPart
from headrace.sources import Distribution, S3FileSource, parse_s3_location
from headrace.training import CODE_CHANNEL, MetricDefinition, TrainingJob


def _as_text(value: Any) -> Any:
    """SageMaker's maps hold strings; a job made in Python may hold numbers and truths."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]
MAX_JOB_NAME_CHARACTERS = 63


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChannelModel(_Strict):
    """One input channel."""

    s3: str = Field(description="s3://bucket/prefix/, or a prefix in the platform's bucket: data/digits/")
    input_mode: Literal["File"] = Field("File", description="File: copied to the instance before the script starts")
    distribution: Distribution = Field(
        Distribution.FULLY_REPLICATED,
        description="FullyReplicated, or ShardedByS3Key: each instance gets its share",
    )


class MetricModel(_Strict):
    """A number read off the job's log."""

    name: str = Field(description="name of the metric")
    regex: str = Field(description="regular expression over the log; its first group is the value")

    @field_validator("regex")
    @classmethod
    def _has_a_group(cls, regex: str) -> str:
        try:
            groups = re.compile(regex).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if groups == 0:
            raise ValueError("has no group; put the number in parentheses: accuracy=([0-9.]+)")
        return regex


class JobFile(_Strict):
    """One training job. Either source_dir with entry_point, or command, or neither (the image's own entry point)."""

    image: str = Field(description="ECR image URI, or `repository:tag` in the platform's account and Region")
    instance_type: str = Field(description="such as `ml.m5.large`")
    channels: dict[str, ChannelModel] = Field(
        description="name -> where its data lies; the script finds it at `/opt/ml/input/data/<name>`", min_length=1
    )
    job_name: str | None = Field(None, description="exact name; begins with the platform's `job_name_prefix`")
    base_job_name: str | None = Field(None, description="name to which the platform's prefix and the time are added")
    source_dir: Path | None = Field(None, description="folder of the code, relative to this file; shipped as it is")
    entry_point: str | None = Field(None, description="script in source_dir, run by the image's `python3`")
    command: list[str] | None = Field(None, description="what the image runs, instead of source_dir and entry_point")
    arguments: list[Text] = Field(default_factory=list, description="arguments of the script or the command")
    instance_count: int = Field(1, ge=1, description="how many instances")
    volume_size_gb: int = Field(30, ge=1, description="size of each instance's volume; File mode copies the data to it")
    max_runtime_seconds: int = Field(86_400, ge=1, description="SageMaker stops the job after so long")
    hyperparameters: dict[str, Text] = Field(
        default_factory=dict, description="the script finds them in `/opt/ml/input/config/hyperparameters.json`"
    )
    environment: dict[str, Text] = Field(default_factory=dict, description="environment variables of the script")
    metric_definitions: list[MetricModel] = Field(
        default_factory=list, description="numbers read off the log, as `name` and `regex`"
    )
    tags: dict[str, Text] = Field(default_factory=dict, description="tags of the job, beside `headrace:platform`")
    role_arn: str | None = Field(None, description="execution role, instead of the platform's for these channels")

    @field_validator("tags")
    @classmethod
    def _not_reserved(cls, tags: dict[str, str]) -> dict[str, str]:
        if reserved := [key for key in tags if key.startswith(("headrace:", "aws:"))]:
            raise ValueError(f"{', '.join(reserved)}: tags that begin with headrace: or aws: are set for you")
        return tags

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.source_dir is None) != (self.entry_point is None):
            raise ValueError("source_dir and entry_point go together; give both or neither")
        if self.command is not None and self.entry_point is not None:
            raise ValueError("command and entry_point exclude each other; give one")
        if (self.job_name is None) == (self.base_job_name is None):
            raise ValueError("exactly one of job_name and base_job_name is required")
        if self.entry_point is not None and CODE_CHANNEL in self.channels:
            raise ValueError(f"channel {CODE_CHANNEL!r} is where source_dir travels; name the channel otherwise")
        return self


class _AsWritten(yaml.SafeLoader):
    """YAML in which every value is the text that was written, and a field stands once.

    Plain YAML reads 0777 as 511, 1.10 as 1.1, 1:30 as 90 and yes as true, and takes the last of two fields, all in
    silence; hyperparameters are text to SageMaker, and the model below knows which fields are numbers.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        # an explicit tag (!!map [a]) hands other kinds of nodes over
        for key, _ in node.value if node.id == "mapping" else ():
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a field's name is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"field {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> JobFile:
    """Read and check a job file; ``source_dir`` is taken relative to the file.

    Raises InvalidInput with one line per mistake.
    """
    try:
        plain = yaml.load(path.read_text(encoding="utf-8"), _AsWritten)  # noqa: S506  (a SafeLoader)
    except FileNotFoundError:
        raise InvalidInput(f"{path}: no such file; give the path of a job file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from None
    # an explicit tag (!!int x) and nesting without end come out of the parser as errors of Python
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise InvalidInput(f"{path}: a job file is a mapping of fields to values, with at least image and channels")
    try:
        job = JobFile.model_validate(plain)
    except ValidationError as error:
        raise InvalidInput(*(f"{path}: {line}" for line in _lines(error))) from None
    if job.source_dir is None or job.entry_point is None:
        return job
    source_dir = path.parent / job.source_dir
    if problem := source_archive.find_problem(source_dir, job.entry_point):
        raise InvalidInput(f"{path}: {problem}")
    return job.model_copy(update={"source_dir": source_dir})


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for each in error.errors():
        place = ".".join(map(str, each["loc"]))
        got = f" is {each['input']!r}" if place and each["type"] not in ("missing", "extra_forbidden") else ""
        message = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            model = ChannelModel if place.startswith("channels.") else JobFile
            message = f"unknown field; allowed: {', '.join(model.model_fields)}"
        lines.append(f"{place}{got}: {message}" if place else message)
    return lines


def to_training_job(job: JobFile, foundation: FoundationPart, now: datetime | None = None) -> TrainingJob:
    """The job on this platform: its name made whole, its locations resolved.

    ``now`` (default: the present) is what ``base_job_name`` is completed with. Raises InvalidInput.
    """
    channels = []
    problems = []
    for name, channel in job.channels.items():
        try:
            location = parse_s3_location(channel.s3, default_bucket=foundation.bucket)
        except InvalidInput as error:
            problems.append(f"channels.{name}: {error}")
        else:
            channels.append(
                Channel(name=name, source=S3FileSource(location=location, distribution=channel.distribution))
            )
    if problems:
        raise InvalidInput(*problems)
    return TrainingJob(
        name=_name(job, foundation, now or datetime.now(UTC)),
        image=job.image,
        instance_type=job.instance_type,
        channels=tuple(channels),
        entry_point=job.entry_point,
        source_dir=str(job.source_dir) if job.source_dir else None,
        command=tuple(job.command) if job.command is not None else None,
        arguments=tuple(job.arguments),
        instance_count=job.instance_count,
        volume_size_gb=job.volume_size_gb,
        max_runtime_seconds=job.max_runtime_seconds,
        hyperparameters=job.hyperparameters,
        environment=job.environment,
        metric_definitions=tuple(MetricDefinition(name=m.name, regex=m.regex) for m in job.metric_definitions),
        tags=job.tags,
        role_arn=job.role_arn,
    )


def _name(job: JobFile, foundation: FoundationPart, now: datetime) -> str:
    if job.job_name is not None:
        return job.job_name
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    name = f"{foundation.job_name_prefix}{job.base_job_name}-{stamp}"
    if len(name) > MAX_JOB_NAME_CHARACTERS:
        most = MAX_JOB_NAME_CHARACTERS - len(foundation.job_name_prefix) - len(stamp) - 1
        raise InvalidInput(
            f"base_job_name is {job.base_job_name!r}; allowed: up to {most} characters, since the platform's prefix "
            f"and the time are added and a job's name holds {MAX_JOB_NAME_CHARACTERS}; fix: shorten it"
        )
    return name
