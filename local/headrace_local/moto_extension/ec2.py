"""Networks in CloudFormation: rules of security groups, subnets by AZ id, and the order of deletion.

moto knows no egress rules, no prefix lists in rules, no AZ ids, and deletes neither endpoints nor flow logs nor
route tables, so that the VPC stays for ever. All of it goes through EC2's own API here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import (
    COMPLETIONS,
    DELETIONS,
    PREPARATIONS,
    AddedType,
    Created,
    Properties,
    add,
)

_PEERS: Final[Mapping[str, tuple[str, str]]] = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}
_GROUP_RULES: Final = ("SecurityGroupIngress", "SecurityGroupEgress")


def permission_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """EC2's IpPermission for a rule as CloudFormation writes it."""
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            permission[name] = int(rule[name])
    for name, (kind, key) in _PEERS.items():
        if name in rule:
            described = {"Description": rule["Description"]} if "Description" in rule else {}
            permission[kind] = [{key: rule[name], **described}]
    return permission


def _rule_type(type_name: str, direction: str) -> AddedType:
    def create(region: str, properties: Properties) -> Created:
        change = {"GroupId": properties["GroupId"], "IpPermissions": [permission_of(properties)]}
        if direction == "egress":
            _end_implicit_egress(region, properties["GroupId"])
        authorize = getattr(client("ec2", region), f"authorize_security_group_{direction}")
        rule_id = authorize(**change)["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return Created(physical_id=rule_id, attributes={"Id": rule_id, "change": change})

    def delete(region: str, rule: Created) -> None:
        getattr(client("ec2", region), f"revoke_security_group_{direction}")(**rule.attributes["change"])

    return AddedType(type_name=type_name, create=create, delete=delete, attributes=frozenset({"Id"}))


def _end_implicit_egress(region: str, group: str) -> None:
    """A group that names no egress rule lets everything out, until a rule of its own is added (aws/aws-cdk #987)."""
    ec2 = client("ec2", region)
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    implicit = [each for each in rules if each["IpProtocol"] == "-1" and each["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]]
    if implicit:
        anywhere = {"IpProtocol": "-1", "IpRanges": implicit[0]["IpRanges"]}
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[anywhere])


def group_without_rules(_region: str, properties: Properties) -> Properties:
    """moto misreads the rules of a group (no egress, ports required): they are applied afterwards."""
    return {name: value for name, value in properties.items() if name not in _GROUP_RULES}


def apply_group_rules(region: str, group: str, properties: Properties) -> None:
    """The rules that stand in the group itself; egress rules replace the default, which lets everything out."""
    ec2 = client("ec2", region)
    for rule in properties.get("SecurityGroupIngress", []):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission_of(rule)])
    if "SecurityGroupEgress" in properties:
        default = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=default)
        for rule in properties["SecurityGroupEgress"]:
            ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permission_of(rule)])


def zone_by_name(region: str, properties: Properties) -> Properties:
    """moto knows the zone of a subnet by its name only."""
    zone_id = properties.get("AvailabilityZoneId")
    if zone_id is None:
        return properties
    zones = client("ec2", region).describe_availability_zones(ZoneIds=[zone_id])["AvailabilityZones"]
    rest = {name: value for name, value in properties.items() if name != "AvailabilityZoneId"}
    return {**rest, "AvailabilityZone": zones[0]["ZoneName"]}


def complete_vpc(region: str, vpc: str, properties: Properties) -> None:
    """DNS attributes, which moto drops."""
    for name in ("EnableDnsHostnames", "EnableDnsSupport"):
        if name in properties:
            value = {"Value": str(properties[name]).lower() == "true"}
            client("ec2", region).modify_vpc_attribute(VpcId=vpc, **{name: value})


def _delete_route_table(region: str, table: str, _properties: Properties) -> None:
    client("ec2", region).delete_route_table(RouteTableId=table)


def _create_association(region: str, properties: Properties) -> Created:
    # moto notes down that it was asked for, and associates nothing
    answer = client("ec2", region).associate_route_table(
        RouteTableId=properties["RouteTableId"], SubnetId=properties["SubnetId"]
    )
    return Created(physical_id=answer["AssociationId"], attributes={"Id": answer["AssociationId"]})


def _delete_association(region: str, association: Created) -> None:
    client("ec2", region).disassociate_route_table(AssociationId=association.physical_id)


def _delete_endpoint(region: str, endpoint: str, _properties: Properties) -> None:
    client("ec2", region).delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def _delete_flow_log(region: str, flow_log: str, _properties: Properties) -> None:
    client("ec2", region).delete_flow_logs(FlowLogIds=[flow_log])


_DELETIONS: Final[Mapping[str, Callable[[str, str, Properties], None]]] = {
    "AWS::EC2::RouteTable": _delete_route_table,
    "AWS::EC2::VPCEndpoint": _delete_endpoint,
    "AWS::EC2::FlowLog": _delete_flow_log,
}


def install() -> None:
    """Add, prepare, complete and delete what networks consist of."""
    add(_rule_type("AWS::EC2::SecurityGroupEgress", "egress"))
    add(_rule_type("AWS::EC2::SecurityGroupIngress", "ingress"))
    add(
        AddedType(
            type_name="AWS::EC2::SubnetRouteTableAssociation",
            create=_create_association,
            delete=_delete_association,
            attributes=frozenset({"Id"}),
        )
    )
    PREPARATIONS["AWS::EC2::SecurityGroup"] = group_without_rules
    PREPARATIONS["AWS::EC2::Subnet"] = zone_by_name
    COMPLETIONS["AWS::EC2::SecurityGroup"] = apply_group_rules
    COMPLETIONS["AWS::EC2::VPC"] = complete_vpc
    DELETIONS.update(_DELETIONS)
