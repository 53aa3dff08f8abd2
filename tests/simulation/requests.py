"""What the flow is given: a request of a training job, the Lustre it wants, and how somebody may have spoilt it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.definitions import MAX_HOURS, PLATFORM, SUBNETS
from tests.simulation.faults import HOUR, Faults

JOB = "dev-digits-20270115-080000-123"


def training_request(name: str, max_runtime_seconds: float) -> dict[str, Any]:
    source = {
        "FileSystemId": "fs-00000000000000000",
        "FileSystemType": "FSxLustre",
        "FileSystemAccessMode": "ro",
        "DirectoryPath": "/data/digits",
    }
    return {
        "TrainingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/headrace-dev-file-systems",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "training", "DataSource": {"FileSystemDataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://headrace-dev/output/"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": int(max_runtime_seconds)},
        "Tags": [{"Key": "headrace:platform", "Value": PLATFORM}],
    }


def flow_input(plan: Faults, name: str) -> dict[str, Any]:
    links = [
        {"FileSystemPath": f"/data/part{index}", "DataRepositoryPath": f"s3://bucket/data/part{index}/"}
        for index in range(plan.links)
    ]
    preload = {"Request": training_request(f"{name}-preload", plan.lifetime_seconds), "FolderMarkers": 0}
    training = {"Request": training_request(name, plan.lifetime_seconds), "CapacityAttempts": plan.capacity_attempts}
    return {
        "Schema": 1,
        "JobName": name,
        "Lustre": {
            "StorageCapacity": 1200,
            "SubnetId": SUBNETS[0],
            "DataCompressionType": "NONE",
            "Links": links,
            "ReadySeconds": plan.ready_seconds,
            "LifetimeSeconds": plan.lifetime_seconds,
        },
        "Preload": preload if plan.preload else None,
        "Training": None if plan.mode == "hold" else training,
    }


def _spoil_hours(value: dict[str, Any]) -> None:
    value["Lustre"]["LifetimeSeconds"] = (MAX_HOURS + 1) * HOUR


def _spoil_mounts(value: dict[str, Any]) -> None:
    for stage in ("Preload", "Training"):
        if value[stage] is not None:
            value[stage]["Request"]["InputDataConfig"] = []


SPOILT: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "schema": lambda value: value.update(Schema=2),
    "subnet": lambda value: value["Lustre"].update(SubnetId="subnet-00000000000000099"),
    "links": lambda value: value["Lustre"].update(Links=[]),
    "hours": _spoil_hours,
    "mounts": _spoil_mounts,
}
