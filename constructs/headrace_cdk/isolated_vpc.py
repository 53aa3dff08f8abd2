"""A closed VPC: one isolated subnet in each chosen Availability Zone, no internet gateway, no NAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from aws_cdk import Fn, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from headrace_cdk.flow_logs import log_flows
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lint_exceptions import LintException, accept

RESERVED_SLICES = 4
TOKEN_SUBNET_HOST_BITS = 12

NAMED_ZONE = LintException(
    cfn_lint=["W3010"],
    reason="Jobs and file systems have to meet in one zone, so the zones of a platform are chosen and written down",
)
NO_FLOW_LOGS = LintException(
    cdk_nag=["AwsSolutions-VPC7"],
    reason="Flow logs were switched off in the settings; many organisations switch them on for all VPCs at once",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubnet:
    """A subnet for jobs and the zone that it lies in. ``az_name`` is None where only the id is known.

    ``key``: what tells it from the other subnets at synth time; its zone, or the id of an existing subnet.
    """

    key: str
    subnet_id: str
    az_id: str
    az_name: str | None = None


def subnet_cidrs(cidr: str, count: int, token_host_bits: str = str(TOKEN_SUBNET_HOST_BITS)) -> list[str]:
    """Equal slices of ``cidr`` for ``count`` subnets.

    The block is cut into at least four, so that a third or fourth zone can be appended later without moving the
    subnets that exist. A Token is cut by CloudFormation, into subnets with ``token_host_bits`` bits of addresses.
    """
    if Token.is_unresolved(cidr):
        slices = Fn.cidr(cidr, max(count, RESERVED_SLICES), token_host_bits)
        return [Fn.select(index, slices) for index in range(count)]
    block = IPv4Network(cidr)
    extra_bits = (max(count, RESERVED_SLICES) - 1).bit_length()
    # CloudFormation takes subnets of /28 and larger: a small block is cut as far as it goes.
    prefix_length = min(block.prefixlen + extra_bits, 28)
    return [str(each) for each, _ in zip(block.subnets(new_prefix=prefix_length), range(count), strict=False)]


def imported_vpc(scope: Construct, construct_id: str, vpc_id: str, subnets: Sequence[JobSubnet]) -> ec2.IVpc:
    """The VPC as the object that L2 constructs take."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        construct_id,
        vpc_id=vpc_id,
        availability_zones=[subnet.az_name or subnet.az_id for subnet in one_per_zone(subnets)],
    )


def one_per_zone(subnets: Sequence[JobSubnet]) -> list[JobSubnet]:
    """The first subnet of each zone: endpoints and mount targets stand once in a zone."""
    return list({subnet.az_id: subnet for subnet in reversed(subnets)}.values())[::-1]


def _key(zone: str, number: int) -> str:
    """What tells a zone from the others at synth time: itself, or its place in the list where it is a Token."""
    return f"Zone{number}" if Token.is_unresolved(zone) else zone


class IsolatedVpc(Construct):
    """The VPC, its subnets with one route table each, and its flow logs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        availability_zones: Sequence[str] = (),
        availability_zone_ids: Sequence[str] = (),
        token_host_bits: str = str(TOKEN_SUBNET_HOST_BITS),
        flow_logs: bool = True,
        flow_log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        platform: str = "headrace",
        naming: IamNaming | None = None,
    ) -> None:
        """Zones are given by name or by id; those given by name yield their ids at deploy time.

        ``token_host_bits``: the size of a subnet where ``cidr`` is a Token, as the number of its address bits.
        ``platform``, ``naming``: of the role that writes the flow logs.
        """
        super().__init__(scope, construct_id)
        vpc = ec2.CfnVPC(self, "Vpc", cidr_block=cidr, enable_dns_hostnames=True, enable_dns_support=True)
        self.vpc_id = vpc.ref
        self.route_table_ids: list[str] = []
        zones = availability_zone_ids or availability_zones
        self.subnets = tuple(
            self._add_subnet(_key(zone, number), zone, slice_cidr, by_id=bool(availability_zone_ids))
            for number, (zone, slice_cidr) in enumerate(
                zip(zones, subnet_cidrs(cidr, len(zones), token_host_bits), strict=True), start=1
            )
        )
        self.vpc = imported_vpc(self, "ImportedVpc", self.vpc_id, self.subnets)
        if flow_logs:
            log_flows(self, self.vpc, platform=platform, naming=naming or IamNaming(), retention=flow_log_retention)
        else:
            accept(vpc, NO_FLOW_LOGS)

    def _add_subnet(self, key: str, zone: str, cidr: str, *, by_id: bool) -> JobSubnet:
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet-{key}",
            vpc_id=self.vpc_id,
            cidr_block=cidr,
            availability_zone=None if by_id else zone,
            availability_zone_id=zone if by_id else None,
            map_public_ip_on_launch=False,
        )
        if not by_id:
            accept(subnet, NAMED_ZONE)
        route_table = ec2.CfnRouteTable(self, f"RouteTable-{key}", vpc_id=self.vpc_id)
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Association-{key}", subnet_id=subnet.ref, route_table_id=route_table.ref
        )
        self.route_table_ids.append(route_table.ref)
        return JobSubnet(
            key=key,
            subnet_id=subnet.ref,
            az_id=zone if by_id else subnet.attr_availability_zone_id,
            az_name=subnet.attr_availability_zone if by_id else zone,
        )
