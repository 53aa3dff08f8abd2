"""What is known of the network that a job is attached to, for the rules that judge it.

Each record is what EC2, FSx or EFS answered, reduced to what a rule asks; :class:`NetworkSpec` carries them all. What
could not be looked up is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from headrace.roads import PortRange
from headrace.rules.finding import UNKNOWN, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetFacts:
    """A subnet as EC2 describes it."""

    subnet_id: str
    az_id: str
    vpc_id: str
    cidr: IPv4Network
    free_addresses: int
    reaches_s3: bool | Unknown = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Ports that a group opens to groups, address ranges or prefix lists. Only those of TCP are kept."""

    ports: PortRange
    groups: frozenset[str] = frozenset()
    networks: tuple[IPv4Network, ...] = ()
    prefix_lists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A security group as EC2 describes it."""

    group_id: str
    vpc_id: str
    inbound: tuple[Opening, ...]
    outbound: tuple[Opening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface of a file system; ``network`` is its one address."""

    az_id: str
    subnet_id: str
    groups: frozenset[str]
    network: IPv4Network


@dataclass(frozen=True, slots=True, kw_only=True)
class AclEntry:
    """An entry of a network ACL for TCP: the first one that matches decides."""

    allows: bool
    ports: PortRange
    network: IPv4Network


@dataclass(frozen=True, slots=True, kw_only=True)
class AclFacts:
    """A network ACL with the subnets that it guards; its entries in the order in which they are applied."""

    acl_id: str
    subnet_ids: frozenset[str]
    inbound: tuple[AclEntry, ...]
    outbound: tuple[AclEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """A link that a channel reads: ``uri`` is what it shows; ``lifecycle`` None: the file system has no such link.

    ``path``, ``uri``: with the folder below the link that is read. ``shown_below``: of the link, the folders that have
    links of their own.
    """

    field: str
    path: str
    uri: str
    lifecycle: str | None
    shown_below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemSpec:
    """A file system that channels read, and what is known of it. ``exists`` False: there is none of this id.

    ``field``: the first channel that names it. ``usable_az_ids``: zones in which it can be mounted now.
    ``policy``: EFS's file-system policy, None where there is none.
    """

    field: str
    file_system_id: str
    road: str
    ports: tuple[PortRange, ...]
    answers: bool
    exists: bool
    lifecycle: str = "AVAILABLE"
    vpc_id: str | None = None
    usable_az_ids: frozenset[str] = frozenset()
    recorded_mount_name: str | None = None
    mount_name: str | None = None
    interfaces: tuple[Interface, ...] | Unknown = ()
    links: tuple[LinkFacts, ...] | Unknown = ()
    policy: Mapping[str, Any] | Unknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """The network that a job is attached to. ``subnets``: of those in the request, the ones that exist."""

    vpc_id: str
    requested_subnet_ids: tuple[str, ...]
    subnets: tuple[SubnetFacts, ...]
    job_group_id: str
    groups: tuple[GroupFacts, ...] | Unknown
    instance_count: int
    instance_types: tuple[str, ...]
    offered: frozenset[tuple[str, str]] | Unknown = UNKNOWN
    acls: tuple[AclFacts, ...] | Unknown = ()
    has_dns_hostnames: bool | Unknown = UNKNOWN
    file_systems: tuple[FileSystemSpec, ...] = ()

    @property
    def existing_file_systems(self) -> Iterator[FileSystemSpec]:
        """The file systems of which more is known than that there is none."""
        return (each for each in self.file_systems if each.exists)

    def subnets_in(self, az_id: str) -> tuple[SubnetFacts, ...]:
        """The job's subnets in a zone."""
        return tuple(each for each in self.subnets if each.az_id == az_id)
