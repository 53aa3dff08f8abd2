"""Rules of the ports between a job and its file systems: security groups open them, network ACLs do not close them.

A job mounts a file system by the interface in its own zone. So each interface in a zone of the job is held against
the job's subnets there, and nothing else. A security group opens a port to another group, or to addresses; a network
ACL stands between subnets, and its first entry that matches decides.
Sources: FSx for Lustre User Guide, "File system access control with Amazon VPC"; Amazon EFS User Guide, "Using VPC
security groups"; Amazon VPC User Guide, "Security group rules" and "Network ACL rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from headrace.roads import PortRange
from headrace.rules.finding import Finding, Level, Rule, Unknown, rule
from headrace.rules.network_facts import AclEntry, AclFacts, FileSystemSpec, GroupFacts, Interface, NetworkSpec, Opening
from headrace.rules.values import finding_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One side of a connection: what it is called, its security groups, and the subnets and addresses it lies in."""

    name: str
    groups: frozenset[str]
    subnet_ids: frozenset[str]
    networks: tuple[IPv4Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A connection that a file system needs, from one side to the other."""

    file_system: FileSystemSpec
    source: Peer
    target: Peer

    @property
    def ends(self) -> tuple[tuple[str, Peer, Peer], tuple[str, Peer, Peer]]:
        """Direction, side and other side, seen from both ends."""
        return ("outbound", self.source, self.target), ("inbound", self.target, self.source)


@rule("V33", "groups")
def ports_are_open(spec: NetworkSpec) -> Iterator[Finding]:
    """Job and file system open the road's ports to each other; Lustre calls back, so it needs them both ways."""
    groups = {each.group_id: each for each in spec.groups} if not isinstance(spec.groups, Unknown) else {}
    yield from _once(
        each
        for way in _ways(spec)
        for ports in way.file_system.ports
        for direction, own, peer in way.ends
        for each in _closed(way.file_system, ports, direction, own, peer, groups)
    )


def _closed(
    file_system: FileSystemSpec, ports: PortRange, direction: str, own: Peer, peer: Peer, groups: dict[str, GroupFacts]
) -> Iterator[Finding]:
    openings = [each for name in own.groups if name in groups for each in getattr(groups[name], direction)]
    if are_open(ports, peer, openings):
        return
    names = ", ".join(sorted(own.groups)) or "no group"
    allowed = f"TCP {ports} {direction} open in {names} ({own.name}) for {peer.name}"
    lists = sorted({name for each in openings if _meet(each.ports, ports) for name in each.prefix_lists})
    if lists:
        given = f"{file_system.road} with TCP {ports} {direction} open in {names} for prefix list {', '.join(lists)}"
        fix = "see that the prefix list holds the other side's addresses; lists are not looked up"
        yield finding_in_words("V33", file_system.field, given, allowed, fix, Level.WARNING)
    else:
        given = f"{file_system.road} with TCP {ports} {direction} closed in {names}"
        yield finding_in_words("V33", file_system.field, given, allowed, "add the rule, or deploy the platform again")


def are_open(ports: PortRange, peer: Peer, openings: Iterable[Opening]) -> bool:
    """Whether all these ports are open to this peer; ports and addresses may be opened piece by piece."""
    openings = tuple(openings)
    for port in range(ports.first, ports.last + 1):
        here = [each for each in openings if each.ports.first <= port <= each.ports.last]
        if not any(each.groups & peer.groups for each in here) and not _hold(
            (network for each in here for network in each.networks), peer.networks
        ):
            return False
    return True


def _hold(networks: Iterable[IPv4Network], wanted: tuple[IPv4Network, ...]) -> bool:
    joined = tuple(collapse_addresses(networks))
    return bool(wanted) and all(any(own.subnet_of(each) for each in joined) for own in wanted)


@rule("V147", "acls")
def acls_let_ports_pass(spec: NetworkSpec) -> Iterator[Finding]:
    """No network ACL between the job's subnet and the file system's denies the road's ports."""
    acls = () if isinstance(spec.acls, Unknown) else spec.acls
    yield from _once(
        each
        for way in _ways(spec)
        for ports in way.file_system.ports
        for direction, own, peer in way.ends
        for acl in acls
        for each in _denied(way.file_system, ports, direction, own, peer, acl)
    )


def _denied(
    file_system: FileSystemSpec, ports: PortRange, direction: str, own: Peer, peer: Peer, acl: AclFacts
) -> Iterator[Finding]:
    # within one subnet there is no network ACL
    if not acl.subnet_ids & own.subnet_ids or own.subnet_ids == peer.subnet_ids:
        return
    if any(denies(getattr(acl, direction), port, each) for port in (ports.first, ports.last) for each in peer.networks):
        given = f"{file_system.road} with TCP {ports} {direction} denied by {acl.acl_id} of the subnet of {own.name}"
        allowed = f"TCP {ports} {direction} allowed by the network ACL for {peer.name}"
        fix = "allow it, and the answers on ports 1-65535, before the entry that denies it"
        yield finding_in_words("V147", file_system.field, given, allowed, fix)


def denies(entries: Iterable[AclEntry], port: int, network: IPv4Network) -> bool:
    """Whether these entries surely deny a port to the whole of a network."""
    for each in entries:
        if each.ports.first <= port <= each.ports.last and each.network.overlaps(network):
            if network.subnet_of(each.network):
                return not each.allows
            if each.allows:
                return False
    return False


@rule("V32")
def file_systems_have_interfaces(spec: NetworkSpec) -> Iterator[Finding]:
    """Where a file system can be mounted, it has a network interface; one that was deleted never comes back."""
    for each in spec.existing_file_systems:
        if isinstance(each.interfaces, Unknown):
            continue
        there = {interface.az_id for interface in each.interfaces}
        for az_id in sorted({subnet.az_id for subnet in spec.subnets} & each.usable_az_ids - there):
            given = f"{each.file_system_id} without a network interface in {az_id}"
            allowed = "a network interface in each zone of the job"
            yield finding_in_words("V32", each.field, given, allowed, "deploy the file system's stack again")


def _ways(spec: NetworkSpec) -> Iterator[Way]:
    for file_system in spec.existing_file_systems:
        interfaces = () if isinstance(file_system.interfaces, Unknown) else file_system.interfaces
        for interface in interfaces:
            job, there = _job_in(spec, interface.az_id), _side_of(file_system, interface)
            if job.subnet_ids:
                yield Way(file_system=file_system, source=job, target=there)
                if file_system.answers:
                    yield Way(file_system=file_system, source=there, target=job)


def _job_in(spec: NetworkSpec, az_id: str) -> Peer:
    subnets = spec.subnets_in(az_id)
    return Peer(
        name="job",
        groups=frozenset({spec.job_group_id}),
        subnet_ids=frozenset(each.subnet_id for each in subnets),
        networks=tuple(each.cidr for each in subnets),
    )


def _side_of(file_system: FileSystemSpec, interface: Interface) -> Peer:
    return Peer(
        name=f"{file_system.file_system_id} in {interface.az_id}",
        groups=interface.groups,
        subnet_ids=frozenset({interface.subnet_id}),
        networks=(interface.network,),
    )


def _meet(one: PortRange, other: PortRange) -> bool:
    return one.first <= other.last and other.first <= one.last


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    # a file system may have several interfaces of one kind in a zone
    yield from dict.fromkeys(findings)


PORT_RULES: tuple[Rule[Any], ...] = (file_systems_have_interfaces, ports_are_open, acls_let_ports_pass)
"""Rules of one :class:`NetworkSpec`: its ports."""
