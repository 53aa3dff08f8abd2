"""Rules of the network as it is: can a job in these subnets get an address, reach S3, and reach its file systems.

They hold what the account answered against what the job needs; :class:`NetworkSpec` carries both. A security group
opens a port to another group, or to an address range in which the other side lies.
Sources: Amazon SageMaker Developer Guide, "Give SageMaker AI Training Jobs Access to Resources in Your Amazon VPC";
FSx for Lustre User Guide, "File system access control with Amazon VPC"; Amazon EFS User Guide, "Using VPC security
groups"; Amazon EC2 API Reference, DescribeInstanceTypeOfferings (EC2's own types, from which ml.* is inferred).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Final

from headrace.roads import PortRange
from headrace.rules.finding import UNKNOWN, Finding, Level, Rule, Unknown, rule
from headrace.rules.values import finding, finding_in_words

ADDRESSES_PER_INSTANCE: Final = 2
"""A training instance takes up to two interfaces in the subnet (rules of AWS ParallelCluster and SageMaker's quota)."""


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
    """Ports that a group opens to other groups or to address ranges. Only those of TCP are kept."""

    ports: PortRange
    groups: frozenset[str] = frozenset()
    networks: tuple[IPv4Network, ...] = ()

    def covers(self, ports: PortRange, peer: Peer) -> bool:
        """Whether all these ports are open to this peer."""
        if not (self.ports.first <= ports.first and ports.last <= self.ports.last):
            return False
        if self.groups & peer.groups:
            return True
        return bool(peer.networks) and all(any(own.subnet_of(net) for net in self.networks) for own in peer.networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One side of a connection: its security groups, and the address ranges that it lies in."""

    groups: frozenset[str]
    networks: tuple[IPv4Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A security group as EC2 describes it."""

    group_id: str
    vpc_id: str
    inbound: tuple[Opening, ...]
    outbound: tuple[Opening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """A link that a channel reads: ``uri`` is what it shows; ``lifecycle`` None: the file system has no such link."""

    field: str
    path: str
    uri: str
    lifecycle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemSpec:
    """A file system that channels read, and what is known of it. ``exists`` False: there is none of this id.

    ``field``: the first channel that names it. ``usable_az_ids``: zones in which it can be mounted now.
    ``peer``: the groups and addresses of its interfaces.
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
    peer: Peer = Peer(groups=frozenset())
    links: tuple[LinkFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """The network that a job is attached to. ``subnets``: of those in the request, the ones that exist."""

    vpc_id: str
    requested_subnet_ids: tuple[str, ...]
    subnets: tuple[SubnetFacts, ...]
    job_group_id: str
    groups: tuple[GroupFacts, ...]
    instance_count: int
    instance_types: tuple[str, ...]
    offered: frozenset[tuple[str, str]] | Unknown = UNKNOWN
    file_systems: tuple[FileSystemSpec, ...] = ()

    def group(self, group_id: str) -> GroupFacts | None:
        """The group of this id; None where there is none."""
        return next((each for each in self.groups if each.group_id == group_id), None)


@rule("V128")
def network_is_there(spec: NetworkSpec) -> Iterator[Finding]:
    """The subnets and the job's security group still exist, and lie in the platform's VPC."""
    known = {each.subnet_id: each.vpc_id for each in spec.subnets}
    for subnet_id in spec.requested_subnet_ids:
        if known.get(subnet_id) != spec.vpc_id:
            allowed = f"a subnet of {spec.vpc_id} that exists"
            yield finding("V128", "VpcConfig.Subnets", subnet_id, allowed, "deploy the platform again")
    group = spec.group(spec.job_group_id)
    if group is None or group.vpc_id != spec.vpc_id:
        allowed = f"a security group of {spec.vpc_id} that exists"
        yield finding("V128", "VpcConfig.SecurityGroupIds", spec.job_group_id, allowed, "deploy the platform again")


@rule("V36")
def subnets_have_addresses(spec: NetworkSpec) -> Iterator[Finding]:
    """There is a subnet with free addresses for all instances of the job."""
    needed = spec.instance_count * ADDRESSES_PER_INSTANCE
    short = [each for each in spec.subnets if each.free_addresses < needed]
    level = Level.ERROR if len(short) == len(spec.subnets) else Level.WARNING
    for each in short:
        allowed = f"at least {needed} free addresses for {spec.instance_count} instance(s)"
        fix = "wait for other jobs to end, or give the platform larger subnets"
        yield finding_in_words("V36", f"subnet {each.subnet_id}", f"{each.free_addresses} free", allowed, fix, level)


@rule("V58")
def subnets_reach_s3(spec: NetworkSpec) -> Iterator[Finding]:
    """Every subnet has a route to S3: else the job trains, and fails when it uploads its model."""
    for each in spec.subnets:
        if each.reaches_s3 is False:
            allowed = "a route to S3, by a gateway endpoint or a NAT device"
            fix = "associate the S3 gateway endpoint with the subnet's route table"
            yield finding_in_words("V58", f"subnet {each.subnet_id}", "without a route to S3", allowed, fix)


@rule("V57", "offered")
def types_are_offered(spec: NetworkSpec) -> Iterator[Finding]:
    """EC2 offers the instance type in the zones; SageMaker does not say where it has which."""
    if isinstance(spec.offered, Unknown):
        return
    zones = sorted({each.az_id for each in spec.subnets})
    for instance_type in dict.fromkeys(spec.instance_types):
        missing = [az for az in zones if (instance_type.removeprefix("ml."), az) not in spec.offered]
        if missing:
            where = "none of the job's zones" if missing == zones else f"not in {', '.join(missing)}"
            allowed = (
                "a type that EC2 offers where the data is; inferred, since SageMaker names no zones: at worst the job "
                "waits without a charge, and fails for want of capacity"
            )
            fix = "another instance_type, or capacity_retry with further ones"
            yield finding("V57", "instance_type", f"{instance_type}: {where}", allowed, fix, Level.WARNING)


@rule("V132")
def file_systems_are_available(spec: NetworkSpec) -> Iterator[Finding]:
    """Every file system that a channel names exists and can be used."""
    for each in spec.file_systems:
        if not each.exists or each.lifecycle.upper() not in ("AVAILABLE", "UPDATING"):
            given = f"{each.file_system_id}, {each.lifecycle if each.exists else 'which does not exist'}"
            allowed = "a file system that is available"
            yield finding("V132", each.field, given, allowed, "wait for it, or deploy its stack again")


@rule("V31")
def file_systems_share_the_vpc(spec: NetworkSpec) -> Iterator[Finding]:
    """A file system lies in the VPC of the job."""
    for each in _existing(spec):
        if each.vpc_id is not None and each.vpc_id != spec.vpc_id:
            given = f"{each.file_system_id} in {each.vpc_id}"
            yield finding("V31", each.field, given, f"a file system in {spec.vpc_id}", "deploy the platform again")


@rule("V47")
def mount_name_is_the_recorded_one(spec: NetworkSpec) -> Iterator[Finding]:
    """The Lustre's mount name is the one in the platform's record, which the channel's path begins with."""
    for each in _existing(spec):
        if each.mount_name is not None and each.mount_name != each.recorded_mount_name:
            given = f"/{each.recorded_mount_name} in the platform's record"
            allowed = f"/{each.mount_name}, the mount name of {each.file_system_id}"
            yield finding("V47", each.field, given, allowed, "deploy the stack of the Lustre again")


@rule("V133")
def links_are_in_order(spec: NetworkSpec) -> Iterator[Finding]:
    """A link that a channel reads is there, shows what the record says, and is neither failed nor misconfigured."""
    for each in _existing(spec):
        for link in each.links:
            if link.lifecycle not in ("AVAILABLE", "UPDATING"):
                given = f"{link.path}, {link.lifecycle or f'which does not show {link.uri}'}"
                allowed = "a link of the file system that is AVAILABLE: otherwise directories are empty or reads fail"
                fix = "see DescribeDataRepositoryAssociations for the reason, or deploy the Lustre's stack again"
                yield finding("V133", link.field, given, allowed, fix)


@rule("V45")
def mount_targets_are_where_the_job_is(spec: NetworkSpec) -> Iterator[Finding]:
    """In each zone of the job's subnets the file system can be mounted now."""
    for each in _existing(spec):
        for subnet in spec.subnets:
            if subnet.az_id not in each.usable_az_ids:
                usable = ", ".join(sorted(each.usable_az_ids)) or "none"
                allowed = f"a zone where {each.file_system_id} can be mounted: {usable}"
                given = f"job in {subnet.az_id} ({subnet.subnet_id})"
                fix = "wait for the mount target, or deploy the platform again"
                yield finding("V45", each.field, given, allowed, fix)


@rule("V33")
def ports_are_open(spec: NetworkSpec) -> Iterator[Finding]:
    """Job and file system open the road's ports to each other; Lustre calls back, so it needs them both ways."""
    job = Peer(groups=frozenset({spec.job_group_id}), networks=tuple(each.cidr for each in spec.subnets))
    for each in _existing(spec):
        ways = [(job, each.peer, "job", each.file_system_id)]
        if each.answers:
            ways.append((each.peer, job, each.file_system_id, "job"))
        for source, target, source_name, target_name in ways:
            for ports in each.ports:
                yield from _closed(spec, each, ports, (source, source_name), (target, target_name))


def _closed(
    spec: NetworkSpec, file_system: FileSystemSpec, ports: PortRange, source: tuple[Peer, str], target: tuple[Peer, str]
) -> Iterator[Finding]:
    ends = (
        ("outbound", source, target, (o for g in _groups(spec, source[0]) for o in g.outbound)),
        ("inbound", target, source, (o for g in _groups(spec, target[0]) for o in g.inbound)),
    )
    for direction, own, peer, openings in ends:
        if not _are_open(ports, peer[0], tuple(openings)):
            groups = ", ".join(sorted(own[0].groups)) or "no group"
            allowed = f"TCP {ports} {direction} open in {groups} ({own[1]}) for {peer[1]}"
            given = f"{file_system.road} with TCP {ports} {direction} closed in {groups}"
            yield finding("V33", file_system.field, given, allowed, "add the rule, or deploy the platform again")


def _are_open(ports: PortRange, peer: Peer, openings: tuple[Opening, ...]) -> bool:
    # a range may be opened piece by piece
    each_port = (PortRange(port, port) for port in range(ports.first, ports.last + 1))
    return all(any(opening.covers(port, peer) for opening in openings) for port in each_port)


def _groups(spec: NetworkSpec, peer: Peer) -> Iterable[GroupFacts]:
    return (each for each in spec.groups if each.group_id in peer.groups)


def _existing(spec: NetworkSpec) -> Iterator[FileSystemSpec]:
    return (each for each in spec.file_systems if each.exists)


NETWORK_RULES: tuple[Rule[Any], ...] = (
    network_is_there,
    subnets_have_addresses,
    subnets_reach_s3,
    types_are_offered,
    file_systems_are_available,
    file_systems_share_the_vpc,
    mount_name_is_the_recorded_one,
    links_are_in_order,
    mount_targets_are_where_the_job_is,
    ports_are_open,
)
"""Rules of one :class:`NetworkSpec`."""
