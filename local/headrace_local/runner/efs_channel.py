"""A directory of an EFS: what must be so that a job can mount it, and where it lies here.

SageMaker mounts from the mount target of the instance's own zone; of a job with several subnets an instance may be
put into any of them. Sources: Amazon SageMaker Developer Guide, "Configure data input mode using the SageMaker Python
SDK"; Amazon EFS User Guide, "Managing mount targets" (TCP 2049).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.runner.mount_request import CannotMount, MountRequest
from headrace_local.runner.network import JobNetwork, closed_ports, job_network, side
from headrace_local.runner.shared_folders import folder_of, inside

NFS_PORT: Final = 2049


def mount(request: MountRequest) -> tuple[Path, str | None]:
    """The directory, and nothing to say. Raises CannotMount."""
    network = job_network(request.region, request.vpc_config)
    for target in _targets(request, network).values():
        _require_open(request, network, target)
    directory = inside(folder_of(request.file_system_id), request.directory)
    if directory is None:
        raise CannotMount(f"mount.nfs4: mounting {request.directory} failed, reason given by server: No such file")
    return directory, None


def _targets(request: MountRequest, network: JobNetwork) -> dict[str, Mapping[str, Any]]:
    """AZ id -> mount target, for each zone in which the job may be."""
    efs = client("efs", request.region)
    try:
        found = efs.describe_mount_targets(FileSystemId=request.file_system_id)["MountTargets"]
    except efs.exceptions.FileSystemNotFound:
        raise CannotMount(f"File system '{request.file_system_id}' does not exist.") from None
    own = {
        each["AvailabilityZoneId"]: each
        for each in found
        if each["VpcId"] == network.vpc_id and each["LifeCycleState"] == "available"
    }
    for subnet, zone in network.zones.items():
        if zone not in own:
            raise CannotMount(
                f"no mount target in Availability Zone {zone} of subnet {subnet}; "
                f"the file system has mount targets in {', '.join(sorted(own)) or 'no zone of this VPC'}"
            )
    return {zone: own[zone] for zone in network.zones.values()}


def _require_open(request: MountRequest, network: JobNetwork, target: Mapping[str, Any]) -> None:
    efs = client("efs", request.region)
    groups = efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"]
    server = side(request.region, groups, [target["IpAddress"]])
    if closed_ports(network.side, server, [NFS_PORT]):
        raise CannotMount(
            f"mount.nfs4: Connection timed out: the security groups {_names(request)} of the job and {groups} of mount "
            f"target {target['MountTargetId']} do not let TCP {NFS_PORT} through"
        )


def _names(request: MountRequest) -> list[str]:
    return list(request.vpc_config["SecurityGroupIds"])
