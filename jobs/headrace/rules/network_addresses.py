"""Rules of a new network's addresses: a legal CIDR block with room for what will live in each zone's subnet.

Addresses run out late and quietly: a file system waits in CREATING, a job fails with a network error. A subnet is
never resized, so the room is counted before the network is made.
Rule of our own: V77 CIDR.

Source: Amazon EC2 API Reference, CreateVpc and CreateSubnet: /16 to /28, five reserved addresses (read 2026-11).
Two interfaces of a Lustre and two of a training instance are inferred: the first live account tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, Final

from headrace.rules.existing_network import is_existing
from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.network_spec import NetworkSpec
from headrace.rules.values import finding, is_whole_number, members

LARGEST_BLOCK_PREFIX_LENGTH: Final = 16
SMALLEST_BLOCK_PREFIX_LENGTH: Final = 28
RESERVED_ADDRESSES: Final = 5
RESERVED_SLICES: Final = 4
LUSTRE_ADDRESSES: Final = 2
EFS_ADDRESSES: Final = 1
JOB_INSTANCE_ADDRESSES: Final = 2


@rule("V77", "cidr", "existing_vpc_id", "existing_subnets", "existing_route_table_ids")
def cidr_is_legal(spec: NetworkSpec) -> Iterator[Finding]:
    """A new VPC has an IPv4 block of /16 to /28, written with its first address."""
    if spec.cidr is None and is_existing(spec):
        return
    if _block(spec.cidr) is None:
        allowed = "an IPv4 block of /16 to /28 by its first address"
        yield finding("V77", "cidr", spec.cidr, allowed, "for instance 10.42.0.0/20")


@rule(
    "V36",
    "cidr",
    "availability_zones",
    "availability_zone_ids",
    "interface_endpoints",
    "job_instances_per_zone",
)
def subnets_have_room(spec: NetworkSpec) -> Iterator[Finding]:
    """Each zone's subnet has an address for everything that will live in it."""
    instances = 1 if spec.job_instances_per_zone is None else spec.job_instances_per_zone
    if not is_whole_number(instances) or instances < 1:
        yield finding("V36", "job_instances_per_zone", instances, "a whole number from 1", "count the instances")
        return
    block = _block(spec.cidr)
    zone_count = len(members(spec.availability_zones) or members(spec.availability_zone_ids) or ())
    if block is None or zone_count == 0:
        return
    endpoint_count = len(members(spec.interface_endpoints) or ())
    needed = LUSTRE_ADDRESSES + EFS_ADDRESSES + JOB_INSTANCE_ADDRESSES * instances + endpoint_count
    prefix_length = subnet_prefix_length(block.prefixlen, zone_count)
    if prefix_length > SMALLEST_BLOCK_PREFIX_LENGTH:
        allowed = f"a block for {zone_count} subnets of at least /{SMALLEST_BLOCK_PREFIX_LENGTH}"
        yield finding("V36", "cidr", spec.cidr, allowed, "choose a larger block, or fewer zones")
    elif (free := 2 ** (32 - prefix_length) - RESERVED_ADDRESSES) < needed:
        allowed = (
            f"room for {needed} addresses in each subnet (Lustre {LUSTRE_ADDRESSES}, EFS {EFS_ADDRESSES}, instances "
            f"{JOB_INSTANCE_ADDRESSES} x {instances}, endpoints {endpoint_count}); a /{prefix_length} has {free}"
        )
        yield finding("V36", "cidr", spec.cidr, allowed, "choose a larger block")


def subnet_prefix_length(block_prefix_length: int, zone_count: int) -> int:
    """The prefix length of equal subnets, one for each zone, that a block is cut into; above 28: there are none.

    A block is cut into at least four where that gives legal subnets, so that zones can be added later.
    """
    needed = block_prefix_length + (zone_count - 1).bit_length()
    roomy = block_prefix_length + (max(zone_count, RESERVED_SLICES) - 1).bit_length()
    return max(needed, min(roomy, SMALLEST_BLOCK_PREFIX_LENGTH))


def _block(cidr: object) -> IPv4Network | None:
    if not isinstance(cidr, str) or "/" not in cidr:
        return None
    try:
        block = IPv4Network(cidr)
    except ValueError:
        return None
    in_range = LARGEST_BLOCK_PREFIX_LENGTH <= block.prefixlen <= SMALLEST_BLOCK_PREFIX_LENGTH
    return block if in_range and cidr.endswith(f"/{block.prefixlen}") else None


ADDRESS_RULES: tuple[Rule[Any], ...] = (cidr_is_legal, subnets_have_room)
"""Rules of a :class:`NetworkSpec` about a new network's addresses."""
