"""Every combination of roads and options against an oracle, which is written from the API's documents alone.

The oracle knows nothing of headrace's own table of roads. Its source is the Amazon SageMaker API Reference: Channel
("InputMode", "CompressionType", "RecordWrapperType", "ShuffleConfig"), S3DataSource ("S3DataType", "AttributeNames")
and FileSystemDataSource; Developer Guide, "Train Using a Heterogeneous Cluster" and "Managed Spot Training".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, NamedTuple

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan, draft
from headrace.rules import Level
from headrace.service_model import violations

from tests.test_training import PLATFORM

NOW = datetime(2026, 1, 2, tzinfo=UTC)
MODES = {"s3": ("File", "FastFile", "Pipe"), "lustre": ("File",), "efs": ("File",)}
DATA_TYPES = {
    "File": ("S3Prefix", "ManifestFile"),
    "FastFile": ("S3Prefix",),
    "Pipe": ("S3Prefix", "ManifestFile", "AugmentedManifestFile"),
}
NAMES = ["source-ref", "label"]
WHERE = {
    "s3": {"s3": "s3://lake/data/x/"},
    "lustre": {"lustre": "data", "path": "digits"},
    "efs": {"efs": "/digits"},
}
FILE_SYSTEMS = {
    "lustre": {
        "FileSystemId": "fs-0fedcba9876543210",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/abcd1234/data/digits",
    },
    "efs": {"FileSystemId": "fs-0123456789abcdef0", "FileSystemType": "EFS", "DirectoryPath": "/digits"},
}
ROLES = {"s3": "s3", "lustre": "fs", "efs": "fs"}
# the Lustre is in zone 1, mount targets of the EFS in 1 and 2; S3 is reached from outside the VPC
SUBNETS = {"s3": None, "lustre": ["subnet-1"], "efs": ["subnet-1", "subnet-2"]}


class Combination(NamedTuple):
    """One channel: its place, and what it says; None where it says nothing."""

    place: str
    mode: str | None
    data_type: str | None
    distribution: str | None
    compression: str | None
    wrapper: str | None
    names: list[str] | None
    seed: int | None
    access: str | None

    def fields(self) -> dict[str, Any]:
        """As a job file has it."""
        said = {
            **WHERE[self.place],
            "input_mode": self.mode,
            "data_type": self.data_type,
            "distribution": self.distribution,
            "compression": self.compression,
            "record_wrapper": self.wrapper,
            "attribute_names": self.names,
            "shuffle_seed": self.seed,
            "access": self.access,
        }
        return {name: value for name, value in said.items() if value is not None}


def combinations(place: str, mode: str | None) -> Iterator[Combination]:
    """Everything that a channel from this place, in this mode, could say."""
    yield from (
        Combination(place, mode, *rest)
        for rest in product(
            (None, "S3Prefix", "ManifestFile", "AugmentedManifestFile"),
            (None, "FullyReplicated", "ShardedByS3Key"),
            (None, "Gzip"),
            (None, "RecordIO"),
            (None, NAMES),
            (None, 7),
            (None, "ro", "rw"),
        )
    )


def errors_of(each: Combination) -> set[str]:
    """The oracle: which rules a channel breaks."""
    mode = each.mode or "File"
    if mode not in MODES[each.place]:
        return {"V108"}
    for_s3 = (each.data_type, each.distribution, each.compression, each.wrapper, each.names, each.seed)
    if each.place != "s3":
        return {"V110"} if any(said is not None for said in for_s3) else set()
    broken = set()
    if (each.data_type or "S3Prefix") not in DATA_TYPES[mode]:
        broken.add("V109")
    if each.access or (mode != "Pipe" and (each.compression or each.wrapper or each.names)):
        broken.add("V110")
    if mode == "Pipe" and (each.data_type == "AugmentedManifestFile") != bool(each.names):
        broken.add("V111")
    return broken


def notes_of(each: Combination) -> set[str]:
    """The oracle: what is said of a channel that breaks no rule."""
    notes = set()
    if each.data_type == "AugmentedManifestFile" and not each.wrapper:
        notes.add("V112")
    if each.seed is not None and each.mode != "Pipe":
        notes.add("V113")
    if each.distribution == "ShardedByS3Key":
        notes.add("V122")
    return notes


def channel_of(each: Combination) -> dict[str, Any]:
    """The oracle: the channel of the request, for one that breaks no rule."""
    channel: dict[str, Any] = {"ChannelName": "train", "InputMode": each.mode or "File"}
    if each.place != "s3":
        source = {**FILE_SYSTEMS[each.place], "FileSystemAccessMode": each.access or "ro"}
        return channel | {"DataSource": {"FileSystemDataSource": source}}
    s3 = {
        "S3Uri": "s3://lake/data/x/",
        "S3DataType": each.data_type or "S3Prefix",
        "S3DataDistributionType": each.distribution or "FullyReplicated",
    }
    channel["DataSource"] = {"S3DataSource": s3 | ({"AttributeNames": each.names} if each.names else {})}
    optional = {"CompressionType": each.compression, "RecordWrapperType": each.wrapper}
    optional["ShuffleConfig"] = None if each.seed is None else {"Seed": each.seed}
    return channel | {name: value for name, value in optional.items() if value is not None}


def job_with(channel: dict[str, Any], **fields: Any) -> JobFile:
    """A job file with one channel."""
    return JobFile.model_validate(
        {"base_job_name": "x", "image": "x:1", "instance_type": "ml.m5.large", "channels": {"train": channel}} | fields
    )


SHAPE = get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape


def refusals(request: dict[str, Any]) -> list[str]:
    """Why botocore or the service's own model would refuse the request."""
    report = ParamValidator().validate(request, SHAPE)
    model = violations("sagemaker", "CreateTrainingJob", request)
    return [*map(str, model), *([report.generate_report()] if report.has_errors() else [])]


def ids(plan: LaunchPlan, *, errors: bool) -> set[str]:
    """The rules that found something, as errors or as less."""
    return {each.rule_id for each in plan.findings if (each.level is Level.ERROR) is errors}


@pytest.mark.parametrize("mode", [None, "File", "FastFile", "Pipe"])
@pytest.mark.parametrize("place", ["s3", "lustre", "efs"])
def test_every_combination_is_what_the_api_says(place: str, mode: str | None) -> None:
    """A valid channel is built letter by letter and passes the full model; an invalid one gives its rules' ids."""
    valid = 0
    for each in combinations(place, mode):
        plan = draft(job_with(each.fields()), PLATFORM, now=NOW)
        expected = errors_of(each)
        assert ids(plan, errors=True) == expected, each
        if expected:
            continue
        valid += 1
        assert ids(plan, errors=False) == notes_of(each), each
        request = plan.request
        assert request["InputDataConfig"] == [channel_of(each)]
        assert request["RoleArn"].endswith(f"-{ROLES[place]}")
        assert request.get("VpcConfig", {}).get("Subnets") == SUBNETS[place]
        assert refusals(request) == []
    assert (valid > 0) is ((mode or "File") in MODES[place])


S3_ROADS = [
    {"s3": "data/x/", "input_mode": mode, "data_type": data_type, "distribution": distribution}
    | ({"attribute_names": NAMES, "record_wrapper": "RecordIO"} if data_type == "AugmentedManifestFile" else {})
    for mode, data_types in DATA_TYPES.items()
    for data_type in data_types
    for distribution in ("FullyReplicated", "ShardedByS3Key")
]
ROADS = [*S3_ROADS, *(WHERE[place] | {"access": access} for place in ("lustre", "efs") for access in ("ro", "rw"))]
SPOTS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"spot": {"max_wait_seconds": 90_000}, "checkpoints": {}}, set()),
    ({"spot": {"max_wait_seconds": 90_000}}, {"V116"}),
    ({"spot": {"max_wait_seconds": 600}, "checkpoints": {}}, {"V55"}),
    ({"spot": {"max_wait_seconds": 90_000}, "checkpoints": {}, "keep_alive_seconds": 60}, {"V56"}),
]
CLUSTER = {"gpu": {"instance_type": "ml.p3.2xlarge", "instance_count": 2}, "cpu": {"instance_type": "ml.c5.xlarge"}}
GROUPS: list[tuple[dict[str, Any], list[str] | None, set[str]]] = [
    ({}, None, set()),
    ({"instance_count": 4}, None, set()),
    ({"instance_type": None, "instance_groups": CLUSTER}, None, set()),
    ({"instance_type": None, "instance_groups": CLUSTER}, ["gpu"], set()),
    ({"instance_type": None, "instance_groups": CLUSTER}, ["tpu"], {"V118"}),
    ({}, ["gpu"], {"V118"}),
    ({"instance_groups": CLUSTER}, None, {"V117"}),
    ({"instance_type": None}, None, {"V117"}),
]


def test_every_road_goes_with_spot_and_with_groups() -> None:
    """All roads × Spot × clusters, alone and beside a second channel on each other kind of road."""
    for road, (spot, broken_spot), (cluster, group_names, broken_groups) in product(ROADS, SPOTS, GROUPS):
        channel = road | ({"instance_groups": group_names} if group_names else {})
        # file systems have no members for groups: every instance mounts them
        broken_road = {"V110"} if group_names and "s3" not in road else set()
        expected = broken_spot | broken_road | (broken_groups - ({"V118"} if broken_road else set()))
        plan = draft(job_with(channel, **spot, **cluster), PLATFORM, now=NOW)
        found = ids(plan, errors=True)
        if "V117" in expected:
            # without any instances the model refuses the request, too
            found.discard("V85")
        assert found == expected, (road, spot, cluster, group_names)
        if not expected:
            _check_job(plan, spot, cluster)


def _check_job(plan: LaunchPlan, spot: dict[str, Any], cluster: dict[str, Any]) -> None:
    request = plan.request
    assert refusals(request) == []
    assert request.get("EnableManagedSpotTraining", False) is bool(spot)
    assert request["StoppingCondition"].get("MaxWaitTimeInSeconds") == (90_000 if spot else None)
    assert ("CheckpointConfig" in request) is bool(spot)
    resources = request["ResourceConfig"]
    if "instance_groups" in cluster:
        expected = [("gpu", "ml.p3.2xlarge", 2), ("cpu", "ml.c5.xlarge", 1)]
        assert [tuple(each.values()) for each in resources["InstanceGroups"]] == expected
        assert not {"InstanceType", "InstanceCount"} & set(resources)
    else:
        assert (resources["InstanceType"], resources["InstanceCount"]) == (
            "ml.m5.large",
            cluster.get("instance_count", 1),
        )


def test_all_roads_go_together_in_one_job() -> None:
    """Every pair of roads, and all of them in one job: one role for both kinds, in the zone of the Lustre."""
    for one, other in product(ROADS, ROADS):
        plan = draft(job_with(one, channels={"one": one, "other": other}), PLATFORM, now=NOW)
        assert ids(plan, errors=True) == set()
        assert refusals(plan.request) == []
    every = {f"c{index}": road for index, road in enumerate(ROADS)}
    plan = draft(job_with({}, channels=every), PLATFORM, now=NOW)
    assert refusals(plan.request) == []
    assert [each["ChannelName"] for each in plan.request["InputDataConfig"]] == list(every)
    assert plan.request["RoleArn"].endswith("-both")
    assert plan.request["VpcConfig"]["Subnets"] == ["subnet-1"]


@pytest.mark.parametrize(("count", "broken"), [(1, set()), (20, set()), (21, {"V51", "V85"}), (0, {"V51"})])
def test_a_job_has_one_to_twenty_channels(count: int, broken: set[str]) -> None:
    """The rule says it in words of the job file; the service's model says it, too."""
    plan = draft(job_with({}, channels={f"c{n}": {"s3": "data/x/"} for n in range(count)}), PLATFORM, now=NOW)
    assert ids(plan, errors=True) == broken
