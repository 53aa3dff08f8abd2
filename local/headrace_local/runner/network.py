"""What the network lets through between a job and a file system: zones, and the security groups of both sides.

There is no network here, so what the records of EC2 say is judged: a job that could not mount a file system on AWS
must not read it here. Source: Amazon EC2 User Guide, "Security group rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from headrace_local.moto_extension.clients import client


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a connection: its security groups, as EC2 describes them, and where its addresses may lie."""

    groups: tuple[Mapping[str, Any], ...]
    networks: tuple[IPv4Network, ...]

    def sends(self, port: int, peer: Side) -> bool:
        """Whether a TCP connection to the peer's port may leave."""
        return _allow([rule for each in self.groups for rule in each["IpPermissionsEgress"]], port, peer)

    def receives(self, port: int, peer: Side) -> bool:
        """Whether a TCP connection of the peer to this port may come in."""
        return _allow([rule for each in self.groups for rule in each["IpPermissions"]], port, peer)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNetwork:
    """Where a job's instances may be put: its side of every connection, and the zone of each of its subnets."""

    side: Side
    vpc_id: str
    zones: Mapping[str, str]
    """Subnet id -> AZ id."""


def job_network(region: str, vpc_config: Mapping[str, Sequence[str]]) -> JobNetwork:
    """The network of a job's VpcConfig, whose subnets and groups exist."""
    subnets = client("ec2", region).describe_subnets(SubnetIds=list(vpc_config["Subnets"]))["Subnets"]
    return JobNetwork(
        side=side(region, vpc_config["SecurityGroupIds"], [each["CidrBlock"] for each in subnets]),
        vpc_id=subnets[0]["VpcId"],
        zones={each["SubnetId"]: each["AvailabilityZoneId"] for each in subnets},
    )


def side(region: str, group_ids: Sequence[str], networks: Iterable[str]) -> Side:
    """A side by the ids of its groups, and its addresses or networks."""
    groups = client("ec2", region).describe_security_groups(GroupIds=list(group_ids))["SecurityGroups"]
    return Side(groups=tuple(groups), networks=tuple(IPv4Network(each) for each in networks))


def closed_ports(client_side: Side, server: Side, ports: Iterable[int]) -> list[int]:
    """The TCP ports of the server that the client cannot reach."""
    return [port for port in ports if not (client_side.sends(port, server) and server.receives(port, client_side))]


def _allow(rules: Sequence[Mapping[str, Any]], port: int, peer: Side) -> bool:
    """Whether rules together let the peer through: by one of its groups, or wherever its addresses may lie."""
    own = [each for each in rules if _is_about(each, port)]
    peer_ids = {each["GroupId"] for each in peer.groups}
    if any(pair["GroupId"] in peer_ids for each in own for pair in each["UserIdGroupPairs"]):
        return True
    allowed = [ip_network(each["CidrIp"]) for rule in own for each in rule["IpRanges"]]
    return bool(peer.networks) and all(any(_covers(each, network) for each in allowed) for network in peer.networks)


def _is_about(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and bool(rule["FromPort"] <= port <= rule["ToPort"])


def _covers(allowed: Any, network: IPv4Network) -> bool:
    return isinstance(allowed, IPv4Network) and network.subnet_of(allowed)
