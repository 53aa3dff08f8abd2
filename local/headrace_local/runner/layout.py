"""The files below ``/opt/ml`` that a script finds, as SageMaker writes them.

Source: Amazon SageMaker Developer Guide, "How Amazon SageMaker Provides Training Information".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headrace_local.runner.workspace import Workspace

HOST = "algo-1"
_GROUP = "homogeneousCluster"
_FOLDERS = ("input/data", "input/config", "model", "output/data", "checkpoints", "code")


def prepare(workspace: Workspace, request: Mapping[str, Any]) -> None:
    """Make the folders and the configuration files of a job."""
    for each in _FOLDERS:
        (workspace.opt_ml / each).mkdir(parents=True)
    workspace.mount_stage.mkdir()
    (workspace.directory / "tmp").mkdir()
    configuration = {
        "hyperparameters.json": dict(request.get("HyperParameters", {})),
        "inputdataconfig.json": input_data_config(request),
        "resourceconfig.json": resource_config(request),
    }
    for name, content in configuration.items():
        (workspace.opt_ml / "input" / "config" / name).write_text(json.dumps(content))


def input_mode(channel: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """A channel's own mode, or the job's."""
    return str(channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"])


def input_data_config(request: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """``inputdataconfig.json``: the channels by name."""
    return {each["ChannelName"]: _channel(each, request) for each in request.get("InputDataConfig", ())}


def _channel(channel: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, str]:
    content = {"ContentType": channel["ContentType"]} if "ContentType" in channel else {}
    source = channel["DataSource"].get("S3DataSource", {})
    return {
        **content,
        "TrainingInputMode": input_mode(channel, request),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def resource_config(request: Mapping[str, Any]) -> dict[str, Any]:
    """``resourceconfig.json``: one host, as the embedded AWS has."""
    instance_type = request["ResourceConfig"]["InstanceType"]
    group = {"instance_group_name": _GROUP, "instance_type": instance_type, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": instance_type,
        "current_group_name": _GROUP,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
