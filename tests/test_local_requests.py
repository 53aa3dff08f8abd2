"""CreateTrainingJob of the embedded AWS: what is refused before anything starts, and what a script is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.runner import layout
from headrace_local.runner.instance import Instance
from headrace_local.runner.job_environment import toolkit_variables
from headrace_local.runner.workspace import Workspace

from tests.training_jobs import StartJob, resources, s3_channel


def _lustre_channel(mode: str) -> dict[str, Any]:
    source = {
        "FileSystemId": "fs-0123456789abcdef0",
        "FileSystemAccessMode": "ro",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/abcdefgh",
    }
    return {"ChannelName": "a", "InputMode": mode, "DataSource": {"FileSystemDataSource": source}}


_ALGORITHM = {"TrainingInputMode": "File", "TrainingImage": "image"}
_VPC = {"SecurityGroupIds": ["sg-00000000000000000"], "Subnets": ["subnet-00000000000000000"]}
_BAD_METRIC = {"ContainerEntrypoint": ["true"], "MetricDefinitions": [{"Name": "loss", "Regex": "("}]}
REFUSED = [
    ({"RoleArn": "arn:aws:iam::123456789012:role/none"}, "Could not assume role arn:aws:iam::123456789012:role/none"),
    ({"VpcConfig": _VPC}, "The subnet ID 'subnet-00000000000000000' does not exist"),
    ({"AlgorithmSpecification": _ALGORITHM}, "ContainerEntrypoint must name the command"),
    ({"ResourceConfig": {"InstanceType": "ml.p9.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.p9.huge"),
    ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}}, "EnableManagedSpotTraining"),
    ({"InputDataConfig": [s3_channel("a", "s3://b/c"), s3_channel("a", "s3://b/c")]}, "channel a is given 2 times"),
    (
        {"InputDataConfig": [s3_channel("a", "s3://b/c", "FastFile", "ManifestFile")]},
        "supports S3DataType S3Prefix only",
    ),
    ({"InputDataConfig": [s3_channel("a", "s3://b/c", kind="AugmentedManifestFile")]}, "Pipe mode only"),
    (
        {"InputDataConfig": [_lustre_channel("Pipe")]},
        "Pipe is not supported with a file system",
    ),
    ({"InputDataConfig": [_lustre_channel("File")]}, "VpcConfig is required"),
    ({"InputDataConfig": [s3_channel("..", "s3://b/c")]}, "channel ..: its name cannot be that of a folder"),
    (
        {"InputDataConfig": [s3_channel("a", "s3://b/c", "Pipe"), s3_channel("a_7", "s3://b/c")]},
        "channel a_7 has the name",
    ),
    ({"AlgorithmSpecification": {**_ALGORITHM, **_BAD_METRIC}}, "'(' of loss is no regular expression: missing )"),
]


@pytest.mark.parametrize(("members", "message"), REFUSED)
def test_what_is_refused_before_anything_starts(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, members: Mapping[str, Any], message: str
) -> None:
    """moto accepts all of these."""
    name = f"refused-{uuid4().hex[:12]}"
    with pytest.raises(ClientError) as refused:
        start_job(aws_session, ["true"], TrainingJobName=name, **members)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName=name)


GROUPS = [{"InstanceGroupName": "a", "InstanceType": "ml.m5.large", "InstanceCount": 1}]
CANNOT_RUN: list[tuple[dict[str, Any], str]] = [
    ({"ResourceConfig": resources(9)}, "InstanceCount 9: the embedded AWS runs at most 8 instances of a job"),
    (
        {"ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}},
        "InstanceGroups: the embedded AWS runs no heterogeneous cluster, since all instances would be this machine",
    ),
    ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "ResourceConfig needs InstanceType, and InstanceCount"),
    (
        {"CheckpointConfig": {"S3Uri": "s3://bucket/x", "LocalPath": "/home/x"}},
        "LocalPath '/home/x': the embedded AWS keeps checkpoints below /opt/ml only",
    ),
    ({"CheckpointConfig": {"S3Uri": "s3://bucket/x", "LocalPath": "/opt/ml/../x"}}, "below /opt/ml only"),
]


@pytest.mark.parametrize(("members", "message"), CANNOT_RUN)
def test_what_cannot_run_here_is_refused_with_the_reason(
    aws_session: boto3.Session, start_job: StartJob, members: Mapping[str, Any], message: str
) -> None:
    """When the job is created."""
    with pytest.raises(ClientError) as refused:
        start_job(aws_session, ["true"], **members)
    assert message in refused.value.response["Error"]["Message"]


def test_the_script_is_told_of_its_channels_as_by_sagemaker() -> None:
    """FastFile and file systems look like File: a script reads them alike, and the guide says so."""
    given = [
        {**s3_channel("file", "s3://b/c"), "ContentType": "text/csv"},
        s3_channel("fast", "s3://b/c", "FastFile"),
        {**s3_channel("pipe", "s3://b/c", "Pipe"), "RecordWrapperType": "RecordIO"},
        _lustre_channel("File"),
    ]
    given[2]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    told = layout.input_data_config({"AlgorithmSpecification": _ALGORITHM, "InputDataConfig": given})
    plain = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    pipe = {"TrainingInputMode": "Pipe", "S3DistributionType": "ShardedByS3Key", "RecordWrapperType": "RecordIO"}
    assert told == {"file": {**plain, "ContentType": "text/csv"}, "fast": plain, "pipe": pipe, "a": plain}


def test_the_toolkits_variables() -> None:
    """Hyperparameters are decoded where they are JSON; those of the SDK itself are left out."""
    variables = toolkit_variables(
        {
            "ResourceConfig": {"InstanceType": "ml.m5.large"},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "InputDataConfig": [s3_channel("train", "s3://b/c")],
            "HyperParameters": {"lr": "0.5", "name": "plain text", "layers": "[1, 2]", "sagemaker_program": "x.py"},
        },
        Instance(number=0, hosts=("algo-1",), workspace=Workspace(directory=Path("unused"))),
    )
    assert json.loads(variables["SM_HPS"]) == {"lr": 0.5, "name": "plain text", "layers": [1, 2]}
    assert (variables["SM_HP_LR"], variables["SM_HP_NAME"], variables["SM_HP_LAYERS"]) == (
        "0.5",
        "plain text",
        "[1, 2]",
    )
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert variables["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert json.loads(variables["SM_INPUT_DATA_CONFIG"])["train"]["TrainingInputMode"] == "File"
