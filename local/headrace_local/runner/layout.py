"""The files below ``/opt/ml`` that a script finds, as SageMaker writes them.

Source: Amazon SageMaker Developer Guide, "How Amazon SageMaker Provides Training Information".
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headrace_local.runner.instance import Instance
from headrace_local.runner.workspace import Bind, Workspace

GROUP: Final = "homogeneousCluster"
HOST_NAMES: Final = Path("/etc/hosts")
_FOLDERS = ("input/data", "input/config", "model", "output/data", "checkpoints", "code")


def instances_of(request: Mapping[str, Any], folder: Path) -> tuple[Instance, ...]:
    """The instances that a job asks for, each with its workspace below the job's folder."""
    hosts = tuple(f"algo-{number}" for number in range(1, request["ResourceConfig"]["InstanceCount"] + 1))
    return tuple(
        Instance(number=number, hosts=hosts, workspace=Workspace(directory=folder / host))
        for number, host in enumerate(hosts)
    )


def prepare(instance: Instance, request: Mapping[str, Any]) -> None:
    """Make the folders and the configuration files of an instance."""
    workspace = instance.workspace
    for each in _FOLDERS:
        (workspace.opt_ml / each).mkdir(parents=True)
    for folder in (workspace.mount_stage, workspace.temporary):
        folder.mkdir()
    configuration = {
        "hyperparameters.json": dict(request.get("HyperParameters", {})),
        "inputdataconfig.json": input_data_config(request),
        "resourceconfig.json": resource_config(request, instance),
    }
    for name, content in configuration.items():
        (workspace.opt_ml / "input" / "config" / name).write_text(json.dumps(content))
    if HOST_NAMES.is_file():
        workspace.host_names.write_text(_host_names(instance.hosts, HOST_NAMES.read_text()))
        workspace.binds.append(Bind(source=workspace.host_names, target=HOST_NAMES, read_only=True))


def _host_names(hosts: tuple[str, ...], own: str) -> str:
    # an address for each, so that two instances can listen on the same port of their own names
    lines = [f"127.0.1.{number}\t{host}" for number, host in enumerate(hosts, start=1)]
    return "\n".join([*lines, own.rstrip("\n"), ""])


def network_interface() -> str:
    """The interface by which the instances reach each other: here the loopback."""
    return socket.if_indextoname(1)


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
        # a script reads FastFile as it reads File, and is not told the difference
        "TrainingInputMode": "Pipe" if input_mode(channel, request) == "Pipe" else "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def resource_config(request: Mapping[str, Any], instance: Instance) -> dict[str, Any]:
    """``resourceconfig.json``: all hosts, and the one that reads it."""
    instance_type = request["ResourceConfig"]["InstanceType"]
    hosts = list(instance.hosts)
    return {
        "current_host": instance.host,
        "current_instance_type": instance_type,
        "current_group_name": GROUP,
        "hosts": hosts,
        "instance_groups": [{"instance_group_name": GROUP, "instance_type": instance_type, "hosts": hosts}],
        "network_interface_name": network_interface(),
    }
