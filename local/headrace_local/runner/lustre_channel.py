"""A directory of a Lustre file system: what must be so that a job can mount it, and where it lies here.

Sources: FSx for Lustre User Guide, "File system access control with Amazon VPC" (the ports, open both ways) and
"Troubleshooting mount failures"; Amazon SageMaker API Reference, FileSystemDataSource (DirectoryPath).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.runner.lustre import files_of
from headrace_local.runner.mount_request import CannotMount, MountRequest
from headrace_local.runner.network import closed_ports, job_network, side
from headrace_local.runner.shared_folders import inside

PORTS: Final = (988, *range(1018, 1024))
_LOADED_FIRST: Final = (
    "headrace: this system tells of no opens ({why}); all files of {file_system_id} were loaded before the job "
    "started, so reading shows no lazy load"
)


def mount(request: MountRequest) -> tuple[Path, str | None]:
    """The directory, and a notice where there is no lazy load. Raises CannotMount."""
    described = _describe(request)
    _require_reachable(request, described)
    below = _below_mount_name(request.directory, described["LustreConfiguration"]["MountName"])
    files = files_of(request.file_system_id)
    files.follow()
    try:
        why = files.load_unwatched()
    except OSError as error:
        raise CannotMount(f"No data available: {error.filename}: {error.strerror}") from None
    directory = inside(files.root, below)
    if directory is None:
        raise CannotMount(f"mount.lustre: {request.directory}: No such file or directory")
    return directory, None if why is None else _LOADED_FIRST.format(why=why, file_system_id=request.file_system_id)


def _describe(request: MountRequest) -> Mapping[str, Any]:
    fsx = client("fsx", request.region)
    try:
        found: Mapping[str, Any] = fsx.describe_file_systems(FileSystemIds=[request.file_system_id])["FileSystems"][0]
    except fsx.exceptions.FileSystemNotFound:
        raise CannotMount(f"File system '{request.file_system_id}' does not exist.") from None
    if found["Lifecycle"] != "AVAILABLE":
        raise CannotMount(f"the file system is {found['Lifecycle']}, not AVAILABLE")
    return found


def _require_reachable(request: MountRequest, described: Mapping[str, Any]) -> None:
    network = job_network(request.region, request.vpc_config)
    ec2 = client("ec2", request.region)
    if described["VpcId"] != network.vpc_id:
        raise CannotMount(f"mount.lustre: Connection timed out: it is in {described['VpcId']}, not {network.vpc_id}")
    own = ec2.describe_subnets(SubnetIds=described["SubnetIds"])["Subnets"][0]["AvailabilityZoneId"]
    for subnet, zone in network.zones.items():
        if zone != own:
            raise CannotMount(
                f"mount.lustre: Connection timed out: it is in Availability Zone {own}, subnet {subnet} in {zone}"
            )
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=described["NetworkInterfaceIds"])
    interfaces = interfaces["NetworkInterfaces"]
    groups = sorted({group["GroupId"] for each in interfaces for group in each["Groups"]})
    server = side(request.region, groups, [each["PrivateIpAddress"] for each in interfaces])
    # the file servers connect to their clients, too
    closed = {*closed_ports(network.side, server, PORTS), *closed_ports(server, network.side, PORTS)}
    if closed:
        raise CannotMount(
            f"mount.lustre: Connection timed out: the security groups {list(request.vpc_config['SecurityGroupIds'])} "
            f"of the job and {groups} of the file system do not let TCP {', '.join(map(str, sorted(closed)))} through "
            "both ways"
        )


def _below_mount_name(directory: PurePosixPath, mount_name: str) -> PurePosixPath:
    if directory.parts[1:2] != (mount_name,):
        raise CannotMount(
            f"mount.lustre: mounting {directory} failed: No such file or directory. Is the MGS specification correct? "
            f"DirectoryPath must begin with /{mount_name}"
        )
    return PurePosixPath("/", *directory.parts[2:])
