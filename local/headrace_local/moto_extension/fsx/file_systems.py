"""Lustre file systems as the service describes them.

Sources: Amazon FSx API Reference, CreateFileSystem and LustreFileSystemConfiguration; FSx for Lustre User Guide
("MountName is fsx on SCRATCH_1 and eight random characters elsewhere"); capacities and the message are the service's.
"""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace_local.moto_extension import network_interfaces
from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.fsx.errors import BadRequest
from headrace_local.moto_extension.fsx.failures import failure_of
from headrace_local.moto_extension.fsx.life import Life
from headrace_local.settings import Settings

_MOUNT_NAME_CHARACTERS = string.ascii_lowercase + string.digits

LEGAL_CAPACITY: Final[Mapping[str, tuple[Callable[[int], bool], str]]] = {
    "SCRATCH_1": (lambda gib: gib in (1200, 2400) or _multiple(gib, 3600), "1200, 2400 or a multiple of 3600"),
    "SCRATCH_2": (lambda gib: gib == 1200 or _multiple(gib, 2400), "1200 or a multiple of 2400"),
    "PERSISTENT_1": (lambda gib: gib == 1200 or _multiple(gib, 2400), "1200 or a multiple of 2400"),
    "PERSISTENT_2": (lambda gib: gib == 1200 or _multiple(gib, 2400), "1200 or a multiple of 2400"),
}
"""Deployment type -> is this capacity (GiB, SSD) legal, and the rule in the service's words."""


def _multiple(number: int, base: int) -> bool:
    return number > 0 and number % base == 0


@dataclass(slots=True, kw_only=True)
class FileSystem:
    """A Lustre file system. ``request`` is CreateFileSystem's, from which the description is told."""

    request: Mapping[str, Any]
    account: str
    region: str
    vpc_id: str
    mount_name: str
    life: Life
    interface_ids: tuple[str, ...] = ()
    file_system_id: str = field(default_factory=lambda: f"fs-0{secrets.token_hex(8)}")

    @property
    def arn(self) -> str:
        """The ARN, by which tags are kept."""
        return f"arn:aws:fsx:{self.region}:{self.account}:file-system/{self.file_system_id}"

    @property
    def dns_name(self) -> str:
        """What a client mounts."""
        return f"{self.file_system_id}.fsx.{self.region}.amazonaws.com"

    def attach(self) -> None:
        """Put its file servers into the subnet. Raises BadRequest where that has too few free addresses."""
        try:
            self.interface_ids = network_interfaces.make(
                account=self.account,
                region=self.region,
                subnet_id=self.request["SubnetIds"][0],
                group_ids=self.request.get("SecurityGroupIds", []),
                description=f"Created By Amazon FSx; for file system {self.file_system_id}",
                count=file_servers(self.request["StorageCapacity"]),
            )
        except network_interfaces.NoFreeAddress as error:
            raise BadRequest(f"Not enough free addresses: {error}.") from None

    def end(self) -> None:
        """Deletion is asked for; asking again changes nothing."""
        self.life.end()
        network_interfaces.remove(account=self.account, region=self.region, interface_ids=self.interface_ids)
        self.interface_ids = ()

    def describe(self, tags: list[dict[str, str]]) -> dict[str, Any]:
        """One element of DescribeFileSystems."""
        return {
            "OwnerId": self.account,
            "CreationTime": self.life.created_at,
            "FileSystemId": self.file_system_id,
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": self.request.get("FileSystemTypeVersion", "2.10"),
            "Lifecycle": self.life.lifecycle,
            **self.life.failure_details,
            "StorageCapacity": self.request["StorageCapacity"],
            "StorageType": self.request.get("StorageType", "SSD"),
            "VpcId": self.vpc_id,
            "SubnetIds": self.request["SubnetIds"],
            "NetworkInterfaceIds": list(self.interface_ids),
            "DNSName": self.dns_name,
            "ResourceARN": self.arn,
            "Tags": tags,
            "LustreConfiguration": {
                "DataCompressionType": "NONE",
                **self.request.get("LustreConfiguration", {}),
                "DeploymentType": deployment_type(self.request),
                "MountName": self.mount_name,
            },
        }


def deployment_type(request: Mapping[str, Any]) -> str:
    """The service's default is SCRATCH_1."""
    return str(request.get("LustreConfiguration", {}).get("DeploymentType", "SCRATCH_1"))


def file_servers(capacity_gib: int) -> int:
    """One for the metadata and one for each 2,400 GiB begun; each has a network interface of its own."""
    return 1 + math.ceil(capacity_gib / 2400)


def make(request: Mapping[str, Any], *, account: str, region: str) -> FileSystem:
    """A new file system, CREATING. Raises BadRequest for what the service refuses."""
    if request.get("FileSystemType") != "LUSTRE":
        raise BadRequest(f"The embedded AWS has no FileSystemType {request.get('FileSystemType')}; it has LUSTRE.")
    kind, capacity = deployment_type(request), request.get("StorageCapacity")
    if kind not in LEGAL_CAPACITY:
        raise BadRequest(f"Invalid Lustre deployment type: {kind}.")
    is_legal, rule = LEGAL_CAPACITY[kind]
    if not isinstance(capacity, int) or not is_legal(capacity):
        raise BadRequest(f"Invalid Lustre FS storage capacity: {capacity}. Must be {rule}.")
    settings = Settings.from_environment()
    made = FileSystem(
        request=request,
        account=account,
        region=region,
        vpc_id=_vpc_of(request, region),
        mount_name="fsx" if kind == "SCRATCH_1" else _random_mount_name(),
        life=Life(
            creating_seconds=settings.fsx_creating_seconds,
            deleting_seconds=settings.fsx_deleting_seconds,
            failure=failure_of("file-system"),
        ),
    )
    made.attach()
    return made


def _random_mount_name() -> str:
    return "".join(secrets.choice(_MOUNT_NAME_CHARACTERS) for _ in range(8))


def _vpc_of(request: Mapping[str, Any], region: str) -> str:
    subnets = request.get("SubnetIds", [])
    if len(subnets) != 1:
        raise BadRequest(f"Exactly 1 subnet ID must be provided for Lustre file systems, got {len(subnets)}.")
    ec2 = client("ec2", region)
    try:
        found = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
        ec2.describe_security_groups(GroupIds=request.get("SecurityGroupIds", []))
    except ec2.exceptions.ClientError as error:
        raise BadRequest(error.response["Error"]["Message"]) from None
    return str(found[0]["VpcId"])
