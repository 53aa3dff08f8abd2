"""From a job to the CreateTrainingJob request, member by member, without an account."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from headrace import roads
from headrace.channels import Channel, reach_of
from headrace.errors import InvalidInput
from headrace.placement import Attempt
from headrace.platform import DataLocation, Efs, FoundationPart, LustreLink, LustrePart, Platform, Roles, Subnet
from headrace.roads import ROADS, Compression, Distribution, Reach, RecordWrapper, S3DataType
from headrace.service_model import violations
from headrace.sources import (
    SOURCES,
    EfsSource,
    LustreSource,
    S3FastFileSource,
    S3FileSource,
    S3Location,
    S3PipeSource,
    Source,
    parse_s3_location,
    source_type,
)
from headrace.training import (
    Checkpoints,
    InstanceGroup,
    MetricDefinition,
    OwnIngestion,
    Spot,
    TrainingJob,
)
from headrace.training_request import build_request, image_uri
from hypothesis import given, settings
from hypothesis import strategies as st

FOUNDATION = FoundationPart(
    platform="dev",
    region="eu-west-1",
    account="111111111111",
    vpc_id="vpc-1",
    subnets=(Subnet(subnet_id="subnet-1", az_id="euw1-az1"),),
    job_security_group_id="sg-1",
    bucket="lake",
    data_locations=(DataLocation(bucket="lake", prefix="data/"),),
    roles=Roles(s3="arn:aws:iam::111111111111:role/headrace-dev-s3"),
    job_name_prefix="headrace-dev-",
)
S3_PLATFORM = Platform(foundation=FOUNDATION)
ROLE = "arn:aws:iam::111111111111:role/headrace-dev"
PLATFORM = Platform(
    foundation=replace(
        FOUNDATION,
        subnets=tuple(Subnet(subnet_id=f"subnet-{zone}", az_id=f"euw1-az{zone}") for zone in (1, 2, 3)),
        roles=Roles(s3=f"{ROLE}-s3", file_systems=f"{ROLE}-fs", both=f"{ROLE}-both"),
        efs=Efs(file_system_id="fs-0123456789abcdef0", az_ids=("euw1-az1", "euw1-az2")),
        ingestion_roles={"warehouse": f"{ROLE}-warehouse"},
    ),
    lustre=LustrePart(
        platform="dev",
        file_system_id="fs-0fedcba9876543210",
        mount_name="abcd1234",
        subnet_id="subnet-1",
        az_id="euw1-az1",
        storage_capacity_gib=1200,
        links=(LustreLink(name="data", path="/data", bucket="lake", prefix="data/"),),
    ),
)
"""A platform with every road: its Lustre in zone 1, mount targets of its EFS in 1 and 2, subnets in 1, 2 and 3."""
PREFIX = S3Location(bucket="lake", prefix="data/digits/")
CODE = Path(__file__).parent.parent / "examples" / "digits" / "src"
JOB = TrainingJob(
    name="headrace-dev-digits",
    image="digits:1",
    instance_type="ml.m5.large",
    channels=(Channel(name="train", source=S3FileSource(location=PREFIX)),),
    entry_point="train.py",
    source_dir=str(CODE),
)


def _channel(source: Source, platform: Platform = PLATFORM) -> dict[str, Any]:
    """The first channel of a job that reads this."""
    job = replace(JOB, channels=(Channel(name="train", source=source),))
    channel: dict[str, Any] = build_request(job, platform)["InputDataConfig"][0]
    return channel


S3_PREFIX = {
    "S3DataType": "S3Prefix",
    "S3Uri": "s3://lake/data/digits/",
    "S3DataDistributionType": "FullyReplicated",
}
LUSTRE = {
    "FileSystemId": "fs-0fedcba9876543210",
    "FileSystemAccessMode": "ro",
    "FileSystemType": "FSxLustre",
    "DirectoryPath": "/abcd1234/data",
}
EFS = {
    "FileSystemId": "fs-0123456789abcdef0",
    "FileSystemAccessMode": "ro",
    "FileSystemType": "EFS",
    "DirectoryPath": "/digits",
}
ROWS: list[tuple[Source, dict[str, Any]]] = [
    (S3FileSource(location=PREFIX), {"InputMode": "File", "DataSource": {"S3DataSource": S3_PREFIX}}),
    (S3FastFileSource(location=PREFIX), {"InputMode": "FastFile", "DataSource": {"S3DataSource": S3_PREFIX}}),
    (
        S3FileSource(
            location=PREFIX,
            data_type=S3DataType.MANIFEST_FILE,
            distribution=Distribution.SHARDED_BY_S3_KEY,
            instance_groups=("cpu",),
            content_type="image/png",
            shuffle_seed=0,
        ),
        {
            "InputMode": "File",
            "ContentType": "image/png",
            "ShuffleConfig": {"Seed": 0},
            "DataSource": {
                "S3DataSource": S3_PREFIX
                | {
                    "S3DataType": "ManifestFile",
                    "S3DataDistributionType": "ShardedByS3Key",
                    "InstanceGroupNames": ["cpu"],
                }
            },
        },
    ),
    (
        S3PipeSource(
            location=PREFIX,
            data_type=S3DataType.AUGMENTED_MANIFEST_FILE,
            compression=Compression.GZIP,
            record_wrapper=RecordWrapper.RECORD_IO,
            attribute_names=("source-ref", "label"),
        ),
        {
            "InputMode": "Pipe",
            "CompressionType": "Gzip",
            "RecordWrapperType": "RecordIO",
            "DataSource": {
                "S3DataSource": S3_PREFIX
                | {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]}
            },
        },
    ),
    (LustreSource(link="data"), {"InputMode": "File", "DataSource": {"FileSystemDataSource": LUSTRE}}),
    (
        LustreSource(link="data", path="digits/train/", access=roads.Access.READ_WRITE, content_type="image/png"),
        {
            "InputMode": "File",
            "ContentType": "image/png",
            "DataSource": {
                "FileSystemDataSource": LUSTRE
                | {"FileSystemAccessMode": "rw", "DirectoryPath": "/abcd1234/data/digits/train"}
            },
        },
    ),
    (EfsSource(path="/digits/"), {"InputMode": "File", "DataSource": {"FileSystemDataSource": EFS}}),
    (EfsSource(), {"InputMode": "File", "DataSource": {"FileSystemDataSource": EFS | {"DirectoryPath": "/"}}}),
]


@pytest.mark.parametrize(("source", "expected"), ROWS, ids=lambda value: type(value).__name__)
def test_each_road_is_a_channel_letter_by_letter(source: Source, expected: dict[str, Any]) -> None:
    """What SageMaker is told of each road; a Lustre's path begins with the mount name, which nobody writes."""
    channel = _channel(source)
    assert channel == {"ChannelName": "train", **expected}
    assert not [
        each
        for each in violations("sagemaker", "CreateTrainingJob", {"InputDataConfig": [channel]})
        if "Input" in each.member
    ]


def test_every_road_has_its_record() -> None:
    """A road without a record could be named and not built."""
    assert [source_type(road) for road in ROADS] == list(SOURCES)
    assert {type(source) for source, _ in ROWS} == set(SOURCES)


def test_a_link_at_the_root_shows_the_mount_name_alone() -> None:
    """No two slashes, none at the end."""
    assert PLATFORM.lustre is not None
    root = replace(PLATFORM.lustre, links=(replace(PLATFORM.lustre.links[0], path="/"),))
    channel = _channel(LustreSource(link="data"), replace(PLATFORM, lustre=root))
    assert channel["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/abcd1234"


@pytest.mark.parametrize(
    ("source", "expected"),
    [(LustreSource(link="data"), "Lustre link is 'data'; allowed: none"), (EfsSource(), "has no EFS")],
)
def test_a_road_that_the_platform_has_not_is_named(source: Source, expected: str) -> None:
    """For jobs made in Python: a job file's channel is refused by its rule."""
    with pytest.raises(InvalidInput, match=expected):
        _channel(source, Platform(foundation=replace(PLATFORM.foundation, efs=None)))


@pytest.mark.parametrize(
    ("sources", "reach"),
    [
        ((), Reach.S3),
        ((S3FileSource(location=PREFIX), S3PipeSource(location=PREFIX)), Reach.S3),
        ((LustreSource(link="data"), EfsSource()), Reach.FILE_SYSTEMS),
        ((LustreSource(link="data"), S3FastFileSource(location=PREFIX)), Reach.BOTH),
    ],
)
def test_the_role_is_the_narrowest_that_reads_all_channels(sources: tuple[Source, ...], reach: Reach) -> None:
    """The role for file systems has no rights on the data in S3, and the other way round."""
    channels = tuple(Channel(name=f"c{index}", source=source) for index, source in enumerate(sources))
    assert reach_of(channels) is reach
    request = build_request(replace(JOB, channels=channels), PLATFORM)
    assert request["RoleArn"] == getattr(PLATFORM.foundation.roles, reach)


def test_a_platform_without_the_role_says_what_to_switch_on() -> None:
    """Roles exist for the roads that are there."""
    with pytest.raises(InvalidInput, match=r"V129 .*the role file_systems"):
        _channel(EfsSource(), replace(PLATFORM, foundation=replace(PLATFORM.foundation, roles=FOUNDATION.roles)))


def test_own_ingestion_has_its_role_and_keeps_the_lineage() -> None:
    """Tags and hyperparameters tell which data a model was made of; the job may have no channel at all."""
    ingestion = OwnIngestion(role="warehouse", dataset="sales", version="2026-11")
    job = replace(JOB, channels=(), own_ingestion=ingestion, entry_point=None, source_dir=None)
    request = build_request(job, PLATFORM, PLATFORM.foundation.subnets[:1])
    assert request["RoleArn"] == f"{ROLE}-warehouse"
    assert request["HyperParameters"] == {"headrace_dataset": "sales", "headrace_dataset_version": "2026-11"}
    assert {"Key": "headrace:dataset-version", "Value": "2026-11"} in request["Tags"]
    assert request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert "InputDataConfig" not in request
    with pytest.raises(InvalidInput, match=r"V129 .*own_ingestion\.role is 'lake'; allowed: .*warehouse"):
        build_request(replace(job, own_ingestion=replace(ingestion, role="lake")), PLATFORM)


def test_spot_checkpoints_and_retries_stand_where_the_service_wants_them() -> None:
    """Each member under its own name, and none where nothing was said."""
    job = replace(
        JOB,
        spot=Spot(max_wait_seconds=7200),
        max_runtime_seconds=3600,
        max_pending_seconds=7200,
        checkpoints=Checkpoints(location=S3Location(bucket="lake", prefix="checkpoints/digits/")),
        internal_error_retries=2,
        network_isolation=True,
        encrypt_between_instances=True,
        volume_kms_key="alias/volume",
        keep_alive_seconds=600,
    )
    request = build_request(job, S3_PLATFORM)
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 3600,
        "MaxWaitTimeInSeconds": 7200,
        "MaxPendingTimeInSeconds": 7200,
    }
    assert request["CheckpointConfig"] == {
        "S3Uri": "s3://lake/checkpoints/digits",
        "LocalPath": "/opt/ml/checkpoints",
    }
    assert request["RetryStrategy"] == {"MaximumRetryAttempts": 2}
    assert (request["EnableNetworkIsolation"], request["EnableInterContainerTrafficEncryption"]) == (True, True)
    assert request["ResourceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": "alias/volume",
        "KeepAlivePeriodInSeconds": 600,
    }
    assert violations("sagemaker", "CreateTrainingJob", request) == []
    assert not {"EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy"} & set(build_request(JOB, S3_PLATFORM))


def test_an_attempt_replaces_the_type_and_groups_have_their_own() -> None:
    """The type of an attempt is the only thing that changes; a cluster of groups has no single type."""
    attempt = Attempt(instance_type="ml.m5.xlarge")
    changed = build_request(JOB, S3_PLATFORM, attempt=attempt)["ResourceConfig"]
    assert changed == build_request(JOB, S3_PLATFORM)["ResourceConfig"] | {"InstanceType": "ml.m5.xlarge"}
    groups = (InstanceGroup(name="cpu", instance_type="ml.c5.xlarge", instance_count=2),)
    assert build_request(replace(JOB, instance_type=None, instance_groups=groups), S3_PLATFORM)["ResourceConfig"] == {
        "InstanceGroups": [{"InstanceGroupName": "cpu", "InstanceType": "ml.c5.xlarge", "InstanceCount": 2}],
        "VolumeSizeInGB": 30,
    }


def test_code_travels_in_a_channel_of_its_own_folder() -> None:
    """Another job's code never gets in: the channel takes all that lies in the folder."""
    request = build_request(JOB, S3_PLATFORM)
    code = request["InputDataConfig"][1]
    assert code["ChannelName"] == "code"
    assert code["DataSource"]["S3DataSource"]["S3Uri"] == "s3://lake/code/headrace-dev-digits/"
    assert request["AlgorithmSpecification"]["ContainerEntrypoint"][-1] == "train.py"


def test_arguments_follow_the_script() -> None:
    """They reach the script as they are, whatever characters they hold."""
    request = build_request(replace(JOB, arguments=("--flag", "$(whoami)")), S3_PLATFORM)
    assert request["AlgorithmSpecification"]["ContainerArguments"] == ["--flag", "$(whoami)"]


def test_a_command_or_the_images_own_entry_point_need_no_code_channel() -> None:
    """Three ways to say what runs."""
    own = build_request(replace(JOB, entry_point=None, source_dir=None), S3_PLATFORM)
    command = build_request(replace(JOB, entry_point=None, source_dir=None, command=("run", "it")), S3_PLATFORM)
    assert "ContainerEntrypoint" not in own["AlgorithmSpecification"]
    assert command["AlgorithmSpecification"]["ContainerEntrypoint"] == ["run", "it"]
    assert [each["ChannelName"] for each in own["InputDataConfig"]] == ["train"]


def test_the_platform_gives_role_output_and_tag() -> None:
    """What people need not know."""
    request = build_request(JOB, S3_PLATFORM)
    assert request["RoleArn"] == FOUNDATION.roles.s3
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://lake/output"}
    assert {"Key": "headrace:platform", "Value": "dev"} in request["Tags"]
    assert "VpcConfig" not in request


def test_subnets_and_the_jobs_group_are_the_network() -> None:
    """The caller says where; the platform's group goes with it."""
    request = build_request(JOB, PLATFORM, PLATFORM.foundation.subnets[1:])
    assert request["VpcConfig"] == {"Subnets": ["subnet-2", "subnet-3"], "SecurityGroupIds": ["sg-1"]}


def test_a_platform_with_a_key_encrypts_the_output_with_it() -> None:
    """The bucket's key is the output's key, unless the job has one of its own."""
    key = "arn:aws:kms:eu-west-1:111111111111:key/k"
    platform = Platform(foundation=replace(FOUNDATION, kms_key_arn=key))
    assert build_request(JOB, platform)["OutputDataConfig"]["KmsKeyId"] == key
    own = replace(JOB, output_kms_key="alias/own", output=S3Location(bucket="lake", prefix="output/digits/"))
    expected = {"S3OutputPath": "s3://lake/output/digits", "KmsKeyId": "alias/own"}
    assert build_request(own, platform)["OutputDataConfig"] == expected


def test_the_platforms_tag_cannot_be_overwritten() -> None:
    """Cost allocation and the user policy go by it."""
    request = build_request(replace(JOB, tags={"headrace:platform": "other", "team": "a"}), S3_PLATFORM)
    assert {each["Key"]: each["Value"] for each in request["Tags"]} == {"headrace:platform": "dev", "team": "a"}


@pytest.mark.parametrize(
    ("image", "region", "expected"),
    [
        ("digits:1", "eu-west-1", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/digits:1"),
        ("team/digits", "cn-north-1", "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn/team/digits"),
        ("2.dkr.ecr.us-east-1.amazonaws.com/a/b:c", "eu-west-1", "2.dkr.ecr.us-east-1.amazonaws.com/a/b:c"),
    ],
)
def test_a_bare_image_is_in_the_platforms_registry(image: str, region: str, expected: str) -> None:
    """So that a job file holds no account id."""
    assert image_uri(image, replace(FOUNDATION, region=region)) == expected


_TEXT = st.text(alphabet=string.ascii_letters + string.digits + " _./=-", max_size=60)
_NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,20}[a-zA-Z0-9]", fullmatch=True)


@settings(deadline=None)
@given(
    channels=st.lists(_NAMES, min_size=1, max_size=19, unique=True),
    prefix=st.from_regex(r"data/[a-z0-9/_.-]{0,40}", fullmatch=True),
    hyperparameters=st.dictionaries(_NAMES, _TEXT, max_size=5),
    environment=st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True), _TEXT, max_size=5),
    arguments=st.lists(st.from_regex(r"[ -~]{1,100}", fullmatch=True), max_size=5),
    metric=st.from_regex(r"[a-z:_]{1,20}", fullmatch=True),
)
def test_every_job_within_the_limits_gives_a_request_that_the_service_takes(
    channels: list[str],
    prefix: str,
    hyperparameters: dict[str, str],
    environment: dict[str, str],
    arguments: list[str],
    metric: str,
) -> None:
    """The builder adds nothing that the service's model refuses."""
    source = S3FileSource(location=S3Location(bucket="lake", prefix=prefix))
    job = replace(
        JOB,
        channels=tuple(Channel(name=name, source=source) for name in channels),
        hyperparameters=hyperparameters,
        environment=environment,
        arguments=tuple(arguments),
        metric_definitions=(MetricDefinition(name=metric, regex=f"{metric}=([0-9.]+)"),),
    )
    assert violations("sagemaker", "CreateTrainingJob", build_request(job, S3_PLATFORM)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data/digits/", S3Location(bucket="lake", prefix="data/digits/")),
        ("s3://other/x", S3Location(bucket="other", prefix="x")),
        ("s3://other", S3Location(bucket="other", prefix="")),
    ],
)
def test_locations_are_uris_or_prefixes_of_the_platforms_bucket(text: str, expected: S3Location) -> None:
    """Two forms."""
    assert parse_s3_location(text, default_bucket="lake") == expected


@pytest.mark.parametrize("text", ["https://lake/x", "s3:///x", "s3://lake//x", "s3://Lake/x", "/data/x", "file://x"])
def test_other_locations_are_refused_with_the_forms_that_are_allowed(text: str) -> None:
    """One line with the value and the fix."""
    with pytest.raises(InvalidInput, match="s3://bucket/prefix") as caught:
        parse_s3_location(text, default_bucket="lake")
    assert repr(text) in str(caught.value)
