"""What the machines are started with and what services answer, as small as the expressions need it."""

from __future__ import annotations

from typing import Any

from tests.machine_definitions import ACCOUNT

OWNER = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:headrace-dev-ephemeral:digits"
SUBNET = "subnet-0123456789abcdef1"
FUTURE = "fs-00000000000000000"
LUSTRE_ID = "fs-0123456789abcdef0"
# 2026-11-26T10:15:00Z
START = 1_795_688_100_000
HOUR = 3_600_000

Record = dict[str, Any]


def link(path: str) -> Record:
    """A link as the flow's input has it."""
    return {"FileSystemPath": path, "DataRepositoryPath": f"s3://bucket{path}/"}


def s3_channel(name: str = "eval") -> Record:
    """A channel that has nothing to do with the file system."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x/"}}}


def lustre_channel(directory_path: str, file_system_id: str = FUTURE, name: str = "train") -> Record:
    """A channel on a Lustre file system; by default on the one to come."""
    source = {"FileSystemId": file_system_id, "FileSystemType": "FSxLustre", "FileSystemAccessMode": "ro"}
    return {
        "ChannelName": name,
        "DataSource": {"FileSystemDataSource": {**source, "DirectoryPath": directory_path}},
    }


def request(*channels: Record, **more: Any) -> Record:
    """The part of a CreateTrainingJob request that the flow looks at."""
    return {"RoleArn": "role", "InputDataConfig": list(channels), **more}


def flow_input(**more: Any) -> Record:
    """An input of the flow that is in order; ``more`` in place of its members."""
    given = {
        "Schema": 1,
        "JobName": "digits",
        "Lustre": {
            "StorageCapacity": 1200,
            "SubnetId": SUBNET,
            "DataCompressionType": "NONE",
            "Links": [link("/data")],
            "ReadySeconds": 1804,
            "LifetimeSeconds": 36_000,
        },
        "Preload": None,
        "Training": {"Request": request(lustre_channel("/data")), "CapacityAttempts": 3},
    }
    return {**given, **more}


def lustre(**more: Any) -> Record:
    """The description of the file system in an input of the flow."""
    return {"Lustre": {**flow_input()["Lustre"], **more}}


def without(given: Record, name: str) -> Record:
    """An object that lacks a member."""
    return {key: value for key, value in given.items() if key != name}


def tags(**values: str) -> list[Record]:
    """Tags of ours; ``file_system`` for ``headrace:file-system``."""
    return [{"Key": f"headrace:{name.replace('_', '-')}", "Value": value} for name, value in values.items()]


def file_system(**more: Any) -> Record:
    """An ephemeral file system of the platform, as FSx describes it; ``Tags=None`` for one without."""
    described = {
        "FileSystemId": LUSTRE_ID,
        "FileSystemType": "LUSTRE",
        "ResourceARN": f"arn:aws:fsx:us-east-1:{ACCOUNT}:file-system/{LUSTRE_ID}",
        "CreationTime": "2026-11-26T10:16:00Z",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 1200,
        "LustreConfiguration": {"MountName": "abcdefgh"},
        "Tags": tags(platform="dev", owner=OWNER, job="digits", expires="2026-11-26T20:15:00.123Z"),
        **more,
    }
    return {key: value for key, value in described.items() if value is not None}


def job(status: str = "InProgress", **more: Any) -> Record:
    """A training job as SageMaker describes it."""
    described = {
        "TrainingJobStatus": status,
        "SecondaryStatus": status,
        "InputDataConfig": [lustre_channel("/abcdefgh/data", LUSTRE_ID)],
        **more,
    }
    return {key: value for key, value in described.items() if value is not None}


def metric(name: str, value: float) -> Record:
    """One of a job's last metrics."""
    return {"MetricName": name, "Value": value, "Timestamp": "2026-11-26T11:00:00Z"}
