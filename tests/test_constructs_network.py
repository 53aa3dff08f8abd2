"""The network is closed, in the zones that were asked for, and Lustre and EFS have exactly the ports they need."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk.assertions import Match, Template
from headrace.rules import RuleViolations, Suppression
from headrace_cdk.isolated_vpc import JobSubnet, one_per_zone, subnet_cidrs
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.s3_prefix_list import s3_prefix_list_id, s3_prefix_list_ids

ZONE_IDS = ["use1-az1", "use1-az2"]
EXISTING = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    subnets=(
        JobSubnet(key="a", subnet_id="subnet-0123456789abcdef0", az_id="use1-az1"),
        JobSubnet(key="b", subnet_id="subnet-0123456789abcdef1", az_id="use1-az1"),
        JobSubnet(key="c", subnet_id="subnet-0123456789abcdef2", az_id="use1-az4"),
    ),
    route_table_ids=("rtb-0123456789abcdef0", "rtb-0123456789abcdef1"),
)


def _stack(region: str | None = "us-east-1") -> Stack:
    return Stack(App(), "Test", env=Environment(region=region))


def _template(**props: Any) -> Template:
    stack = _stack()
    Network(stack, "Network", **{"cidr": "10.64.0.0/20", "availability_zone_ids": ZONE_IDS, **props})
    return Template.from_stack(stack)


@cache
def _new_network() -> Template:
    return _template()


def _rules(template: Template, direction: str) -> set[tuple[str, str, str, int, int]]:
    """Every rule resource as (group, other side, protocol, first port, last port), groups by their short name."""
    other = "Source" if direction == "Ingress" else "Destination"
    found = set()
    for rule in template.find_resources(f"AWS::EC2::SecurityGroup{direction}").values():
        properties = rule["Properties"]
        peer = properties.get(f"{other}SecurityGroupId") or properties.get(f"{other}PrefixListId")
        found.add(
            (
                _group_name(properties["GroupId"]),
                _group_name(peer or properties["CidrIp"]),
                properties["IpProtocol"],
                properties.get("FromPort", -1),
                properties.get("ToPort", -1),
            )
        )
    return found


def _group_name(reference: object) -> str:
    text = json.dumps(reference)
    return next((name for name in ("Jobs", "Lustre", "Efs", "Endpoints") if f"SecurityGroups{name}" in text), text)


def test_ports_are_exactly_those_of_lustre_and_efs_inward() -> None:
    """Into each group come only the ports of its protocol, from the groups that are named."""
    assert _rules(_new_network(), "Ingress") == {
        ("Jobs", "Jobs", "-1", -1, -1),
        ("Lustre", "Lustre", "tcp", 988, 988),
        ("Lustre", "Lustre", "tcp", 1018, 1023),
        ("Lustre", "Jobs", "tcp", 988, 988),
        ("Lustre", "Jobs", "tcp", 1018, 1023),
        ("Jobs", "Lustre", "tcp", 988, 988),
        ("Jobs", "Lustre", "tcp", 1018, 1023),
        ("Efs", "Jobs", "tcp", 2049, 2049),
    }


def test_ports_are_exactly_those_of_lustre_and_efs_outward() -> None:
    """Out of each group go the same ports, and from jobs HTTPS to the prefix list of S3."""
    assert _rules(_new_network(), "Egress") == {
        ("Jobs", "Jobs", "-1", -1, -1),
        ("Jobs", '"pl-63a5400a"', "tcp", 443, 443),
        ("Lustre", "Lustre", "tcp", 988, 988),
        ("Lustre", "Lustre", "tcp", 1018, 1023),
        ("Lustre", "Jobs", "tcp", 988, 988),
        ("Lustre", "Jobs", "tcp", 1018, 1023),
        ("Jobs", "Lustre", "tcp", 988, 988),
        ("Jobs", "Lustre", "tcp", 1018, 1023),
        ("Jobs", "Efs", "tcp", 2049, 2049),
    }


def test_no_group_has_inline_rules_that_open_anything() -> None:
    """A group itself lets nothing in, and nothing out but the rule that matches no traffic."""
    for group in _new_network().find_resources("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group["Properties"]
        assert [rule["CidrIp"] for rule in group["Properties"]["SecurityGroupEgress"]] == ["255.255.255.255/32"]


@pytest.mark.parametrize("side", ["lustre", "efs"])
def test_side_switched_off_has_no_group_and_no_rule(side: str) -> None:
    """Without Lustre or EFS there is neither its group nor a rule that names it."""
    template = _template(**{side: False})
    name = side.capitalize()
    assert not [key for key in template.find_resources("AWS::EC2::SecurityGroup") if name in key]
    rules = _rules(template, "Ingress") | _rules(template, "Egress")
    assert not [rule for rule in rules if name in rule[:2]]


def test_zone_given_by_id_is_asked_for_by_id() -> None:
    """A zone id reaches the subnet as it is, so that no look-up is needed."""
    for zone_id in ZONE_IDS:
        _new_network().has_resource_properties(
            "AWS::EC2::Subnet", {"AvailabilityZoneId": zone_id, "AvailabilityZone": Match.absent()}
        )


def test_zone_given_by_name_yields_its_id_at_deploy_time() -> None:
    """The id of a zone that was named is the subnet's attribute."""
    stack = _stack()
    network = Network(stack, "Network", cidr="10.0.0.0/16", availability_zones=["us-east-1a"])
    (logical_id,) = Template.from_stack(stack).find_resources("AWS::EC2::Subnet")
    assert stack.resolve(network.subnets[0].az_id) == {"Fn::GetAtt": [logical_id, "AvailabilityZoneId"]}
    assert network.subnets[0].az_name == "us-east-1a"


def test_subnets_have_no_way_out_but_the_gateway_endpoint() -> None:
    """No internet gateway, no NAT, no route; the S3 gateway endpoint stands on every route table."""
    template = _new_network()
    for kind in ("InternetGateway", "NatGateway", "Route"):
        assert not template.find_resources(f"AWS::EC2::{kind}")
    tables = [{"Ref": key} for key in template.find_resources("AWS::EC2::RouteTable")]
    assert len(tables) == len(ZONE_IDS)
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "VpcEndpointType": "Gateway",
            "RouteTableIds": Match.array_equals(tables),
        },
    )


def test_interface_endpoints_are_off_unless_named() -> None:
    """By default the gateway endpoint is the only one, and there is no group for others."""
    kinds = {
        each["Properties"]["VpcEndpointType"]
        for each in _new_network().find_resources("AWS::EC2::VPCEndpoint").values()
    }
    assert kinds == {"Gateway"}


def test_named_interface_endpoint_answers_jobs_on_https_only() -> None:
    """An endpoint stands in every zone with private DNS, behind a group that jobs reach on 443."""
    template = _template(interface_endpoints=["sts"])
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "ServiceName": "com.amazonaws.us-east-1.sts",
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": True,
            "SubnetIds": [{"Ref": key} for key in template.find_resources("AWS::EC2::Subnet")],
        },
    )
    assert {rule for rule in _rules(template, "Ingress") if rule[0] == "Endpoints"} == {
        ("Endpoints", "Jobs", "tcp", 443, 443)
    }
    assert ("Jobs", "Endpoints", "tcp", 443, 443) in _rules(template, "Egress")


def test_flow_logs_can_be_switched_off() -> None:
    """Flow logs of all traffic are on by default, and a switch takes them away."""
    _new_network().has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL", "ResourceType": "VPC"})
    assert not _template(flow_logs=False).find_resources("AWS::EC2::FlowLog")


def test_existing_network_is_used_and_not_made() -> None:
    """With an existing VPC no VPC, subnet or flow log appears; endpoints stand once in each of its zones."""
    template = _template(cidr=None, availability_zone_ids=None, existing=EXISTING, interface_endpoints=["logs"])
    for kind in ("VPC", "Subnet", "RouteTable", "FlowLog"):
        assert not template.find_resources(f"AWS::EC2::{kind}")
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint", {"RouteTableIds": ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]}
    )
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "VpcEndpointType": "Interface",
            "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef2"],
        },
    )


def test_existing_gateway_endpoint_is_not_made_twice() -> None:
    """Route tables that have the S3 gateway endpoint already are left alone."""
    stack = _stack()
    Network(stack, "Network", existing=replace(EXISTING, s3_gateway_endpoint=False))
    assert not Template.from_stack(stack).find_resources("AWS::EC2::VPCEndpoint")


@pytest.mark.parametrize("region", ["eu-west-9", None])
def test_region_without_prefix_list_opens_https_and_says_so(region: str | None) -> None:
    """Where no prefix list is on record, HTTPS goes to any address and the rule's description says which."""
    stack = _stack(region)
    subnet = JobSubnet(key="a", subnet_id="subnet-0123456789abcdef0", az_id="euw9-az1")
    Network(stack, "Network", existing=replace(EXISTING, subnets=(subnet,)))
    Template.from_stack(stack).has_resource_properties(
        "AWS::EC2::SecurityGroupEgress",
        {
            "CidrIp": "0.0.0.0/0",
            "DestinationPrefixListId": Match.absent(),
            "FromPort": 443,
            "ToPort": 443,
            "Description": Match.string_like_regexp("no S3 prefix list on record"),
        },
    )


def test_prefix_list_table_is_well_formed_and_dated() -> None:
    """Every id looks like a prefix list's, and an unknown Region has none."""
    assert all(each.startswith("pl-") for each in s3_prefix_list_ids().values())
    assert s3_prefix_list_id("mars-north-1") is None


def test_mistakes_are_reported_together_with_their_rule_ids() -> None:
    """A bad CIDR, a zone of another Region and an unknown endpoint come as one error."""
    with pytest.raises(RuleViolations) as caught:
        _template(cidr="10.0.0.0/8", availability_zone_ids=["euw1-az1"], interface_endpoints=["nonsense"])
    assert {finding.rule_id for finding in caught.value.findings} >= {"V77", "V79", "V88"}


def test_rule_is_suppressed_by_id_with_its_reason_on_record() -> None:
    """A suppressed rule lets the construct pass, and the reason is kept in its metadata."""
    stack = _stack()
    network = Network(
        stack,
        "Network",
        cidr="10.64.0.0/20",
        availability_zone_ids=["euw1-az1"],
        suppressions=[Suppression(rule_id="V88", reason="the table of Regions is older than this zone")],
    )
    records = [entry.data for entry in network.node.metadata if entry.type == "headrace:suppressed-rule"]
    assert [record["reason"] for record in records] == ["the table of Regions is older than this zone"]


def test_token_skips_the_checks_that_read_it() -> None:
    """A CIDR that is a parameter is not judged, and CloudFormation cuts it into the subnets."""
    stack = _stack()
    cidr = CfnParameter(stack, "Cidr").value_as_string
    Network(stack, "Network", cidr=cidr, availability_zone_ids=["use1-az1"])
    Template.from_stack(stack).has_resource_properties(
        "AWS::EC2::Subnet", {"CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [{"Ref": "Cidr"}, 4, "12"]}]}}
    )


def test_zone_can_be_appended_without_moving_the_others() -> None:
    """Two, three or four zones cut the block alike, so that the subnets that exist keep their addresses."""
    four = subnet_cidrs("10.64.0.0/20", 4)
    assert four == ["10.64.0.0/22", "10.64.4.0/22", "10.64.8.0/22", "10.64.12.0/22"]
    assert all(subnet_cidrs("10.64.0.0/20", count) == four[:count] for count in (1, 2, 3))


def test_one_per_zone_takes_the_first_of_each_in_order() -> None:
    """Of two subnets in one zone the first stands for it."""
    assert [subnet.key for subnet in one_per_zone(EXISTING.subnets)] == ["a", "c"]
