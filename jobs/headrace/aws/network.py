"""The network of EC2 as it is: subnets with their routes, security groups, interfaces, and where types are offered.

One call for each kind of thing, whatever the number of subnets or groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from headrace.aws.connection import Connection, calls_aws
from headrace.roads import PortRange
from headrace.rules.live_network import GroupFacts, Opening, Peer, SubnetFacts

_ALL_PORTS = PortRange(0, 65_535)
_ANYWHERE = "0.0.0.0/0"
# An interface in a private subnet gets no public address, so an internet gateway leads it nowhere.
_WAYS_OUT = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")


@dataclass(frozen=True, slots=True)
class Network:
    """Questions to EC2."""

    connection: Connection

    @calls_aws
    def subnets(self, subnet_ids: Sequence[str]) -> list[SubnetFacts]:
        """Those of the subnets that exist; whether they reach S3 is not yet known."""
        described = self._all("describe_subnets", "Subnets", {"subnet-id": subnet_ids})
        return [
            SubnetFacts(
                subnet_id=each["SubnetId"],
                az_id=each["AvailabilityZoneId"],
                vpc_id=each["VpcId"],
                cidr=IPv4Network(each["CidrBlock"]),
                free_addresses=each["AvailableIpAddressCount"],
            )
            for each in described
        ]

    @calls_aws
    def s3_gateway_endpoint_ids(self, vpc_id: str) -> set[str]:
        """The gateway endpoints of S3 in a VPC."""
        service = f"com.amazonaws.{self.connection.region}.s3"
        filters = {"vpc-id": [vpc_id], "service-name": [service]}
        found = self._all("describe_vpc_endpoints", "VpcEndpoints", filters)
        return {each["VpcEndpointId"] for each in found if each.get("VpcEndpointType", "Gateway") == "Gateway"}

    @calls_aws
    def route_tables(self, vpc_id: str) -> list[dict[str, Any]]:
        """The route tables of a VPC, as EC2 describes them."""
        return self._all("describe_route_tables", "RouteTables", {"vpc-id": [vpc_id]})

    @calls_aws
    def security_groups(self, group_ids: Iterable[str]) -> list[GroupFacts]:
        """Those of the groups that exist."""
        described = self._all("describe_security_groups", "SecurityGroups", {"group-id": sorted(group_ids)})
        return [
            GroupFacts(
                group_id=each["GroupId"],
                vpc_id=each["VpcId"],
                inbound=_openings(each["IpPermissions"]),
                outbound=_openings(each["IpPermissionsEgress"]),
            )
            for each in described
        ]

    @calls_aws
    def interfaces(self, interface_ids: Sequence[str]) -> dict[str, Peer]:
        """The interfaces that exist: id -> their groups and addresses."""
        described = self._all(
            "describe_network_interfaces", "NetworkInterfaces", {"network-interface-id": interface_ids}
        )
        return {each["NetworkInterfaceId"]: _peer(each) for each in described}

    @calls_aws
    def offerings(self, instance_types: Sequence[str], az_ids: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Which of these EC2 instance types are offered in which of these zones: pairs of type and zone id."""
        pages = self.connection.client("ec2").get_paginator("describe_instance_type_offerings")
        found = pages.paginate(
            LocationType="availability-zone-id",
            Filters=_filters({"instance-type": instance_types, "location": az_ids}),
        )
        return frozenset(
            (each["InstanceType"], each["Location"]) for page in found for each in page["InstanceTypeOfferings"]
        )

    def _all(self, operation: str, member: str, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        pages = self.connection.client("ec2").get_paginator(operation).paginate(Filters=_filters(filters))
        return [each for page in pages for each in page[member]]


def reaches_s3(subnet_id: str, route_tables: Sequence[Mapping[str, Any]], endpoint_ids: set[str]) -> bool:
    """Whether the subnet's route table leads to S3: by a gateway endpoint, or by a way out that is no internet gateway.

    A subnet without a table of its own uses the VPC's main one (Amazon VPC User Guide, "Subnet route tables").
    """
    table = _table_of(subnet_id, route_tables)
    return table is not None and any(_leads_to_s3(route, endpoint_ids) for route in table["Routes"])


def _table_of(subnet_id: str, route_tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    main = None
    for table in route_tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _leads_to_s3(route: Mapping[str, Any], endpoint_ids: set[str]) -> bool:
    if route.get("State", "active") != "active":
        return False
    if route.get("GatewayId") in endpoint_ids:
        return True
    return route.get("DestinationCidrBlock") == _ANYWHERE and any(route.get(way) for way in _WAYS_OUT)


def _filters(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)} for name, values in filters.items()]


def _openings(permissions: Sequence[Mapping[str, Any]]) -> tuple[Opening, ...]:
    return tuple(
        Opening(
            ports=_ALL_PORTS if each["IpProtocol"] == "-1" else PortRange(each["FromPort"], each["ToPort"]),
            groups=frozenset(pair["GroupId"] for pair in each.get("UserIdGroupPairs", ())),
            networks=tuple(IPv4Network(given["CidrIp"]) for given in each.get("IpRanges", ())),
        )
        for each in permissions
        if each["IpProtocol"] in ("-1", "tcp", "6")
    )


def _peer(interface: Mapping[str, Any]) -> Peer:
    return Peer(
        groups=frozenset(each["GroupId"] for each in interface.get("Groups", ())),
        networks=(IPv4Network(IPv4Address(interface["PrivateIpAddress"])),),
    )
