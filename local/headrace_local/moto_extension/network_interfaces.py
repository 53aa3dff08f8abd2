"""Network interfaces that a service keeps in its customer's subnets: mount targets of EFS, file servers of FSx.

They are how anybody finds out by which security groups a file system is reached, and they take addresses of the
subnet. EC2's own CreateNetworkInterface cannot say that another service owns an interface, hence moto's backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.ec2.models import ec2_backends


class NoFreeAddress(Exception):
    """The subnet has fewer free addresses than are asked for."""


def make(
    *, account: str, region: str, subnet_id: str, group_ids: Sequence[str], description: str, count: int
) -> tuple[str, ...]:
    """The ids of ``count`` new interfaces; no group means the VPC's default group.

    Raises NoFreeAddress, and makes none, where the subnet cannot hold them all.
    """
    ec2 = ec2_backends[account][region]
    subnet = ec2.get_subnet(subnet_id)
    if subnet.available_ip_address_count < count:
        raise NoFreeAddress(f"{subnet_id} has {subnet.available_ip_address_count} free addresses, needed: {count}")
    made = []
    for _ in range(count):
        address = subnet.get_available_subnet_ip(None)
        interface = ec2.create_network_interface(subnet, [address], group_ids=list(group_ids), description=description)
        mark_as_the_services(interface)
        made.append(str(interface.id))
    return tuple(made)


def mark_as_the_services(interface: Any) -> None:
    """Show an interface as in use by a service, which alone may delete it."""
    interface.requester_managed = True
    interface.status = "in-use"


def remove(*, account: str, region: str, interface_ids: Sequence[str]) -> None:
    """End these interfaces and give their addresses back."""
    ec2 = ec2_backends[account][region]
    for interface_id in interface_ids:
        interface = ec2.get_network_interface(interface_id)
        interface.subnet.del_subnet_ip(interface.private_ip_address)
        ec2.delete_network_interface(interface_id)
