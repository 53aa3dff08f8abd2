"""Mount targets with the network interface that AWS gives them.

moto's interface belongs to nobody, and a mount target that names no security group has none in its description, where
AWS puts it into the VPC's default group.
Source: Amazon EFS API Reference, CreateMountTarget ("Creates a new network interface in the specified subnet", with
its description and requester).
"""

from __future__ import annotations

from typing import Any

from moto.efs.exceptions import EFSError
from moto.efs.models import EFSBackend

from headrace_local.moto_extension.network_interfaces import mark_as_the_services

_create_mount_target = EFSBackend.create_mount_target


class NoFreeAddressesInSubnet(EFSError):  # type: ignore[misc]  # moto is untyped for us
    """The subnet has no address left for the mount target."""

    code = 409

    def __init__(self, subnet_id: str) -> None:
        super().__init__("NoFreeAddressesInSubnet", f"The subnet '{subnet_id}' has no free addresses.")


def create_mount_target(backend: EFSBackend, file_system_id: str, subnet_id: str, *rest: Any, **members: Any) -> Any:
    """CreateMountTarget as moto does it, its interface shown as EFS's own."""
    for subnet in backend.ec2_backend.describe_subnets():
        if subnet.id == subnet_id and subnet.available_ip_address_count < 1:
            raise NoFreeAddressesInSubnet(subnet_id)
    target = _create_mount_target(backend, file_system_id, subnet_id, *rest, **members)
    interface = backend.ec2_backend.get_network_interface(target.network_interface_id)
    interface.description = f"EFS mount target for {file_system_id} ({target.mount_target_id})"
    mark_as_the_services(interface)
    target.security_groups = [group.id for group in interface.group_set]
    return target


def install() -> None:
    """Put this in the place of moto's."""
    EFSBackend.create_mount_target = create_mount_target
