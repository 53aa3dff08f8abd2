"""From a job to the CreateTrainingJob request, without an account."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from headrace.channels import Channel
from headrace.errors import InvalidInput
from headrace.platform import DataLocation, FoundationPart, Roles, Subnet
from headrace.service_model import violations
from headrace.sources import Distribution, S3FileSource, S3Location, parse_s3_location
from headrace.training import MetricDefinition, TrainingJob, build_request, image_uri
from hypothesis import given
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
JOB = TrainingJob(
    name="headrace-dev-digits",
    image="digits:1",
    instance_type="ml.m5.large",
    channels=(Channel(name="train", source=S3FileSource(location=S3Location(bucket="lake", prefix="data/digits/"))),),
    entry_point="train.py",
    source_dir="src",
)


def test_a_channel_is_an_s3_prefix_in_file_mode() -> None:
    """The S3 File road, letter by letter."""
    assert build_request(JOB, FOUNDATION)["InputDataConfig"][0] == {
        "ChannelName": "train",
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://lake/data/digits/",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def test_shards_by_key_when_asked() -> None:
    """Each instance its share."""
    source = replace(JOB.channels[0].source, distribution=Distribution.SHARDED_BY_S3_KEY)
    request = build_request(replace(JOB, channels=(Channel(name="train", source=source),)), FOUNDATION)
    assert request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"


def test_code_travels_in_a_channel_of_its_own_folder() -> None:
    """Another job's code never gets in: the channel takes all that lies in the folder."""
    request = build_request(JOB, FOUNDATION)
    code = request["InputDataConfig"][1]
    assert code["ChannelName"] == "code"
    assert code["DataSource"]["S3DataSource"]["S3Uri"] == "s3://lake/code/headrace-dev-digits/"
    assert request["AlgorithmSpecification"]["ContainerEntrypoint"][-1] == "train.py"


def test_arguments_follow_the_script() -> None:
    """They reach the script as they are, whatever characters they hold."""
    request = build_request(replace(JOB, arguments=("--flag", "$(whoami)")), FOUNDATION)
    assert request["AlgorithmSpecification"]["ContainerArguments"] == ["--flag", "$(whoami)"]


def test_a_command_or_the_images_own_entry_point_need_no_code_channel() -> None:
    """Three ways to say what runs."""
    own = build_request(replace(JOB, entry_point=None, source_dir=None), FOUNDATION)
    command = build_request(replace(JOB, entry_point=None, source_dir=None, command=("run", "it")), FOUNDATION)
    assert "ContainerEntrypoint" not in own["AlgorithmSpecification"]
    assert command["AlgorithmSpecification"]["ContainerEntrypoint"] == ["run", "it"]
    assert [each["ChannelName"] for each in own["InputDataConfig"]] == ["train"]


def test_the_platform_gives_role_output_and_tag() -> None:
    """What people need not know."""
    request = build_request(JOB, FOUNDATION)
    assert request["RoleArn"] == FOUNDATION.roles.s3
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://lake/output"}
    assert {"Key": "headrace:platform", "Value": "dev"} in request["Tags"]
    assert "VpcConfig" not in request


def test_a_platform_that_requires_it_attaches_every_job_to_its_network() -> None:
    """Its user policy refuses jobs that name no subnets."""
    request = build_request(JOB, replace(FOUNDATION, require_vpc=True))
    assert request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert [line for line in violations("sagemaker", "CreateTrainingJob", request) if "VpcConfig" not in line[0]] == []


def test_a_platform_with_a_key_encrypts_the_output_with_it() -> None:
    """The bucket's key is the output's key."""
    request = build_request(JOB, replace(FOUNDATION, kms_key_arn="arn:aws:kms:eu-west-1:111111111111:key/k"))
    assert request["OutputDataConfig"]["KmsKeyId"] == "arn:aws:kms:eu-west-1:111111111111:key/k"


def test_the_platforms_tag_cannot_be_overwritten() -> None:
    """Cost allocation and the user policy go by it."""
    request = build_request(replace(JOB, tags={"headrace:platform": "other", "team": "a"}), FOUNDATION)
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
    assert violations("sagemaker", "CreateTrainingJob", build_request(job, FOUNDATION)) == []


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
