"""The network of EC2 as it is: subnets with their routes, security groups, interfaces, and where types are offered.

One call for each kind of thing, whatever the number of subnets or groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Any

from headrace.aws.connection import Connection, calls_aws
from headrace.roads import PortRange
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.network_facts import AclEntry, AclFacts, GroupFacts, Opening, SubnetFacts

_ALL_PORTS = PortRange(0, 65_535)
_ANYWHERE = IPv4Network("0.0.0.0/0")
_TCP = ("-1", "tcp", "6")


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceDescription:
    """A network interface as EC2 describes it."""

    subnet_id: str
    groups: frozenset[str]
    address: IPv4Address


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
    def interfaces(self, interface_ids: Sequence[str]) -> dict[str, InterfaceDescription]:
        """The interfaces that exist, by id."""
        described = self._all(
            "describe_network_interfaces", "NetworkInterfaces", {"network-interface-id": interface_ids}
        )
        return {
            each["NetworkInterfaceId"]: InterfaceDescription(
                subnet_id=each["SubnetId"],
                groups=frozenset(group["GroupId"] for group in each.get("Groups", ())),
                address=IPv4Address(each["PrivateIpAddress"]),
            )
            for each in described
        }

    @calls_aws
    def acls(self, vpc_id: str) -> list[AclFacts]:
        """The network ACLs of a VPC."""
        return [
            AclFacts(
                acl_id=each["NetworkAclId"],
                subnet_ids=frozenset(one["SubnetId"] for one in each.get("Associations", ())),
                inbound=_acl_entries(each["Entries"], is_egress=False),
                outbound=_acl_entries(each["Entries"], is_egress=True),
            )
            for each in self._all("describe_network_acls", "NetworkAcls", {"vpc-id": [vpc_id]})
        ]

    @calls_aws
    def has_dns_hostnames(self, vpc_id: str) -> bool:
        """Whether a VPC has DNS hostnames (which need DNS support): EC2 tells its attributes one by one."""
        ec2 = self.connection.client("ec2")
        answer = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")
        return bool(answer["EnableDnsHostnames"]["Value"])

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


def reaches_s3(subnet_id: str, route_tables: Sequence[Mapping[str, Any]], endpoint_ids: set[str]) -> bool | Unknown:
    """Whether the subnet's route table leads to S3: by a gateway endpoint, or by a way out that is no internet gateway.

    UNKNOWN where a way out leads to a part of the public addresses, which may be those of S3.
    A subnet without a table of its own uses the VPC's main one (Amazon VPC User Guide, "Subnet route tables").
    """
    table = _table_of(subnet_id, route_tables)
    routes = [] if table is None else [each for each in table["Routes"] if each.get("State", "active") == "active"]
    if any(each.get("GatewayId") in endpoint_ids for each in routes):
        return True
    outside = [each for each in routes if _leads_out(each)]
    networks = [IPv4Network(each["DestinationCidrBlock"]) for each in outside if "DestinationCidrBlock" in each]
    if _ANYWHERE in collapse_addresses(networks):
        return True
    # what a prefix list holds is not looked up
    is_partial = any("DestinationPrefixListId" in each for each in outside)
    return UNKNOWN if is_partial or not all(each.is_private for each in networks) else False


def _table_of(subnet_id: str, route_tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    main = None
    for table in route_tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _leads_out(route: Mapping[str, Any]) -> bool:
    """Whether traffic to S3 may go on behind this target: a NAT or transit gateway, a VPN, Cloud WAN, a firewall …

    An interface in a private subnet gets no public address, so an internet gateway leads it nowhere; a peering
    connection leads to its other end only (Amazon VPC Peering Guide, "Edge to edge routing").
    """
    gateway = str(route.get("GatewayId", ""))
    is_endpoint_of_another = gateway.startswith("vpce-") and "DestinationPrefixListId" in route
    return not (gateway.startswith(("igw-", "local")) or is_endpoint_of_another or "VpcPeeringConnectionId" in route)


def _filters(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)} for name, values in filters.items()]


def _openings(permissions: Sequence[Mapping[str, Any]]) -> tuple[Opening, ...]:
    return tuple(
        Opening(
            ports=_ALL_PORTS if each["IpProtocol"] == "-1" else PortRange(each["FromPort"], each["ToPort"]),
            groups=frozenset(pair["GroupId"] for pair in each.get("UserIdGroupPairs", ())),
            networks=tuple(IPv4Network(given["CidrIp"]) for given in each.get("IpRanges", ())),
            prefix_lists=frozenset(given["PrefixListId"] for given in each.get("PrefixListIds", ())),
        )
        for each in permissions
        if each["IpProtocol"] in _TCP
    )


def _acl_entries(entries: Sequence[Mapping[str, Any]], *, is_egress: bool) -> tuple[AclEntry, ...]:
    return tuple(
        AclEntry(
            allows=each["RuleAction"] == "allow",
            ports=PortRange(each["PortRange"]["From"], each["PortRange"]["To"]) if "PortRange" in each else _ALL_PORTS,
            network=IPv4Network(each["CidrBlock"]),
        )
        for each in sorted(entries, key=lambda entry: int(entry["RuleNumber"]))
        if each["Egress"] == is_egress and each["Protocol"] in _TCP and "CidrBlock" in each
    )
