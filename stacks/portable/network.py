"""The network of a self-contained foundation: a new VPC, or two subnets of an existing one."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnParameter, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.security_groups import HTTPS

from stacks.portable.parameters import condition, parameter_is, resource_of
from stacks.portable.rules import require_subnets_of_the_vpc


def new_network(stack: Stack, platform: str, naming: IamNaming) -> Network:
    """A VPC with a subnet in each of the two zones. ``platform`` and ``naming``: of the flow log's role."""
    network = Network(
        stack,
        "Network",
        cidr=Fn.ref("VpcCidr"),
        availability_zone_ids=[Fn.ref("ZoneId1"), Fn.ref("ZoneId2")],
        token_host_bits=Fn.ref("SubnetHostBits"),
        platform=platform,
        naming=naming,
    )
    _narrow_https(stack, network)
    return network


def existing_network(stack: Stack, parameters: Mapping[str, CfnParameter]) -> Network:
    """Two subnets of a VPC that is there; it may have its S3 gateway endpoint already."""
    require_subnets_of_the_vpc(stack)
    existing = ExistingNetwork(
        vpc_id=Fn.ref("VpcId"),
        subnets=tuple(
            JobSubnet(key=f"Zone{number}", subnet_id=Fn.ref(f"SubnetId{number}"), az_id=Fn.ref(f"ZoneId{number}"))
            for number in (1, 2)
        ),
        route_table_ids=tuple(parameters["RouteTableIds"].value_as_list),
    )
    network = Network(stack, "Network", existing=existing)
    wanted = condition(stack, "S3GatewayIsWanted", parameter_is("CreateS3GatewayEndpoint", "yes"))
    resource_of(network, "S3Gateway").cfn_options.condition = wanted
    _narrow_https(stack, network)
    return network


def _narrow_https(stack: Stack, network: Network) -> None:
    """A rule with the prefix list of S3 takes the place of the one to any address, where the list is given."""
    not_given = parameter_is("S3PrefixListId", "")
    groups = network.security_groups
    to_any_address = resource_of(groups, "JobsToS3")
    to_any_address.cfn_options.condition = condition(stack, "S3PrefixListIdIsNotGiven", not_given)
    to_prefix_list = ec2.CfnSecurityGroupEgress(
        stack,
        "JobsToS3ByPrefixList",
        group_id=groups.jobs.security_group_id,
        destination_prefix_list_id=Fn.ref("S3PrefixListId"),
        ip_protocol="tcp",
        from_port=HTTPS.first,
        to_port=HTTPS.last,
        description="HTTPS to S3 by the prefix list of the gateway endpoint",
    )
    to_prefix_list.cfn_options.condition = condition(stack, "S3PrefixListIdIsGiven", Fn.condition_not(not_given))
