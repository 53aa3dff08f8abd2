"""What the pre-flight asks EC2, EFS and FSx about: the embedded AWS answers as AWS does."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_cdk.s3_prefix_list import s3_prefix_list_id
from headrace_local.moto_extension.fsx.file_systems import file_servers

from tests.conftest import DeployedPlatform

SubnetOf = Callable[[int], dict[str, Any]]

ADDRESSES_OF_AWS = 5
"""The first four addresses and the last of each subnet. Source: Amazon VPC User Guide, "Subnet sizing"."""


@pytest.fixture
def ec2(aws_session: boto3.Session) -> Any:
    """The EC2 client."""
    return aws_session.client("ec2")


@pytest.fixture
def subnet_of(ec2: Any) -> SubnetOf:
    """Makes a VPC with one subnet of this many bits, and gives the subnet's description."""

    def make(bits: int) -> dict[str, Any]:
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet: dict[str, Any] = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.0.0/{bits}")["Subnet"]
        return subnet

    return make


def _interfaces(ec2: Any, ids: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
    return found


def _groups(interface: dict[str, Any]) -> list[str]:
    return [each["GroupId"] for each in interface["Groups"]]


def _free(ec2: Any, subnet_id: str) -> int:
    return int(ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["AvailableIpAddressCount"])


def test_mount_targets_show_zone_state_and_their_interfaces_groups(deployed: DeployedPlatform) -> None:
    """One DescribeMountTargets and one DescribeNetworkInterfaces tell zones and groups of all mount targets."""
    efs = deployed.foundation.efs
    assert efs is not None
    targets = deployed.client("efs").describe_mount_targets(FileSystemId=efs.file_system_id)["MountTargets"]
    assert sorted(each["AvailabilityZoneId"] for each in targets) == sorted(efs.az_ids)
    assert {each["LifeCycleState"] for each in targets} == {"available"}
    interfaces = _interfaces(deployed.client("ec2"), [each["NetworkInterfaceId"] for each in targets])
    by_id = {each["NetworkInterfaceId"]: each for each in interfaces}
    for target in targets:
        interface = by_id[target["NetworkInterfaceId"]]
        groups = deployed.client("efs").describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])
        assert _groups(interface) == groups["SecurityGroups"] != []
        assert interface["SubnetId"] == target["SubnetId"]
        assert interface["PrivateIpAddress"] == target["IpAddress"]
        assert interface["Description"] == f"EFS mount target for {efs.file_system_id} ({target['MountTargetId']})"
        assert (interface["RequesterManaged"], interface["Status"]) == (True, "in-use")


def test_a_lustre_file_system_shows_its_interfaces_with_their_groups(deployed: DeployedPlatform) -> None:
    """moto's file system has no interface, so nothing told by which groups it is reached."""
    lustre = deployed.platform.lustre
    assert lustre is not None
    described = deployed.client("fsx").describe_file_systems(FileSystemIds=[lustre.file_system_id])["FileSystems"][0]
    assert len(described["NetworkInterfaceIds"]) == file_servers(lustre.storage_capacity_gib) == 2
    interfaces = _interfaces(deployed.client("ec2"), described["NetworkInterfaceIds"])
    groups = {group for each in interfaces for group in _groups(each)}
    rules = deployed.client("ec2").describe_security_groups(GroupIds=sorted(groups))["SecurityGroups"][0]
    ports = {(each["FromPort"], each["ToPort"]) for each in rules["IpPermissions"]}
    assert (len(groups), ports) == (1, {(988, 988), (1018, 1023)})
    assert {each["SubnetId"] for each in interfaces} == {lustre.subnet_id}
    assert {each["VpcId"] for each in interfaces} == {described["VpcId"]}
    assert len({each["PrivateIpAddress"] for each in interfaces}) == 2


def test_free_addresses_are_those_of_the_subnet_less_awss_and_the_interfaces(deployed: DeployedPlatform) -> None:
    """In each subnet of the platform: 5 addresses are AWS's, and each interface has one."""
    ec2 = deployed.client("ec2")
    ids = [each.subnet_id for each in deployed.foundation.subnets]
    for subnet in ec2.describe_subnets(SubnetIds=ids)["Subnets"]:
        mine = [{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}]
        taken = len(ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"])
        size = ipaddress.ip_network(subnet["CidrBlock"]).num_addresses
        assert taken >= 1
        assert subnet["AvailableIpAddressCount"] == size - ADDRESSES_OF_AWS - taken


def test_each_subnet_of_the_platform_has_a_route_to_s3_by_the_gateway_endpoint(deployed: DeployedPlatform) -> None:
    """The route's prefix list is the one to which the jobs' security group lets HTTPS out."""
    ec2, foundation = deployed.client("ec2"), deployed.foundation
    ids = [each.subnet_id for each in foundation.subnets]
    tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": ids}])["RouteTables"]
    own = [{"Name": "vpc-id", "Values": [foundation.vpc_id]}]
    (endpoint,) = ec2.describe_vpc_endpoints(Filters=own)["VpcEndpoints"]
    assert endpoint["ServiceName"] == f"com.amazonaws.{foundation.region}.s3"
    assert (endpoint["VpcEndpointType"], endpoint["State"]) == ("Gateway", "available")
    assert sorted(endpoint["RouteTableIds"]) == sorted(each["RouteTableId"] for each in tables)
    (group,) = ec2.describe_security_groups(GroupIds=[foundation.job_security_group_id])["SecurityGroups"]
    reached = {each["PrefixListId"] for rule in group["IpPermissionsEgress"] for each in rule["PrefixListIds"]}
    routes = [(r["DestinationPrefixListId"], r["GatewayId"]) for t in tables for r in t["Routes"] if _to_prefix_list(r)]
    assert routes == [(s3_prefix_list_id(foundation.region), endpoint["VpcEndpointId"])] * len(ids)
    assert reached == {s3_prefix_list_id(foundation.region)}
    named = [{"Name": "prefix-list-name", "Values": [endpoint["ServiceName"]]}]
    (prefix_list,) = ec2.describe_managed_prefix_lists(Filters=named)["PrefixLists"]
    assert prefix_list["PrefixListId"] == s3_prefix_list_id(foundation.region)
    assert prefix_list["PrefixListArn"].endswith(prefix_list["PrefixListId"])


def _to_prefix_list(route: dict[str, Any]) -> bool:
    return "DestinationPrefixListId" in route


def test_instance_types_are_offered_by_zone_id(ec2: Any) -> None:
    """A type that every zone has is offered in the ids that DescribeAvailabilityZones gives; a made-up one nowhere."""
    wanted = [{"Name": "instance-type", "Values": ["m5.large", "m99.huge"]}]
    found = ec2.describe_instance_type_offerings(LocationType="availability-zone-id", Filters=wanted)
    offered = {(each["InstanceType"], each["Location"]) for each in found["InstanceTypeOfferings"]}
    zones = {each["ZoneId"] for each in ec2.describe_availability_zones()["AvailabilityZones"]}
    assert {"use1-az1", "use1-az2"} <= {zone for _, zone in offered} <= zones
    assert {kind for kind, _ in offered} == {"m5.large"}


def test_routes_follow_the_route_tables_of_a_gateway_endpoint(ec2: Any, subnet_of: SubnetOf) -> None:
    """A table that leaves the endpoint loses its route to S3, one that joins gets it, and a deleted one is gone."""
    vpc = subnet_of(24)["VpcId"]
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    service = f"com.amazonaws.{ec2.meta.region_name}.s3"
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Gateway", RouteTableIds=tables[:1])
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]

    def leads_to_s3() -> list[bool]:
        described = [ec2.describe_route_tables(RouteTableIds=[each])["RouteTables"][0] for each in tables]
        return [any(r.get("GatewayId") == endpoint for r in table["Routes"]) for table in described]

    assert leads_to_s3() == [True, False]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=tables[:1], AddRouteTableIds=tables[1:])
    assert leads_to_s3() == [False, True]
    assert ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]["RouteTableIds"] == tables[1:]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert leads_to_s3() == [False, False]
    own = [{"Name": "vpc-id", "Values": [vpc]}]
    assert ec2.describe_vpc_endpoints(Filters=own)["VpcEndpoints"] == []


def _file_system(subnet_id: str, **members: Any) -> dict[str, Any]:
    return {
        "FileSystemType": "LUSTRE",
        "StorageCapacity": 1200,
        "SubnetIds": [subnet_id],
        "LustreConfiguration": {"DeploymentType": "SCRATCH_2"},
        **members,
    }


@pytest.mark.parametrize(("capacity_gib", "servers"), [(1200, 2), (2400, 2), (4800, 3), (24000, 11)])
def test_a_larger_file_system_has_more_file_servers(capacity_gib: int, servers: int) -> None:
    """One for the metadata, one for each 2,400 GiB begun."""
    assert file_servers(capacity_gib) == servers


def test_a_file_system_takes_addresses_and_gives_them_back(
    aws_session: boto3.Session, ec2: Any, subnet_of: SubnetOf
) -> None:
    """Its interfaces are in the VPC's default group when none is named, as on AWS, and go with it."""
    subnet, fsx = subnet_of(24), aws_session.client("fsx")
    free = _free(ec2, subnet["SubnetId"])
    made = fsx.create_file_system(**_file_system(subnet["SubnetId"]))["FileSystem"]
    assert _free(ec2, subnet["SubnetId"]) == free - 2
    own = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=own)["SecurityGroups"][0]["GroupId"]
    assert [_groups(each) for each in _interfaces(ec2, made["NetworkInterfaceIds"])] == [[default], [default]]
    _wait_until_available(fsx, made["FileSystemId"])
    fsx.delete_file_system(FileSystemId=made["FileSystemId"])
    assert _free(ec2, subnet["SubnetId"]) == free
    with pytest.raises(ClientError, match="InvalidNetworkInterfaceID"):
        _interfaces(ec2, made["NetworkInterfaceIds"])


def _wait_until_available(fsx: Any, file_system_id: str) -> None:
    while fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]["Lifecycle"] == "CREATING":
        time.sleep(0.05)


def test_a_repeated_request_makes_no_second_interfaces(
    aws_session: boto3.Session, ec2: Any, subnet_of: SubnetOf
) -> None:
    """A create that is sent again with its client token gives the same file system with the same interfaces."""
    subnet, fsx = subnet_of(24), aws_session.client("fsx")
    request = _file_system(subnet["SubnetId"], ClientRequestToken=uuid4().hex)
    first, again = (fsx.create_file_system(**request)["FileSystem"]["NetworkInterfaceIds"] for _ in range(2))
    assert first == again
    assert _free(ec2, subnet["SubnetId"]) == 256 - ADDRESSES_OF_AWS - len(first)


def test_a_full_subnet_takes_neither_a_file_system_nor_a_mount_target(
    aws_session: boto3.Session, ec2: Any, subnet_of: SubnetOf
) -> None:
    """A /28 has 11 addresses: 24,000 GiB need them all, and then there is none for a mount target."""
    subnet, fsx, efs = subnet_of(28)["SubnetId"], aws_session.client("fsx"), aws_session.client("efs")
    too_large = _file_system(subnet, StorageCapacity=26400)
    with pytest.raises(ClientError, match="11 free addresses, needed: 12"):
        fsx.create_file_system(**too_large)
    assert _free(ec2, subnet) == 11
    fsx.create_file_system(**_file_system(subnet, StorageCapacity=24000))
    assert _free(ec2, subnet) == 0
    file_system = efs.create_file_system(CreationToken=uuid4().hex)["FileSystemId"]
    with pytest.raises(ClientError, match="NoFreeAddressesInSubnet"):
        efs.create_mount_target(FileSystemId=file_system, SubnetId=subnet)


def test_a_mount_target_without_groups_is_in_the_default_group(
    aws_session: boto3.Session, ec2: Any, subnet_of: SubnetOf
) -> None:
    """moto shows no group; and a change of groups reaches the interface, by which the pre-flight sees them."""
    subnet, efs = subnet_of(24), aws_session.client("efs")
    file_system = efs.create_file_system(CreationToken=uuid4().hex)["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=file_system, SubnetId=subnet["SubnetId"])
    asked = {"MountTargetId": target["MountTargetId"]}
    (interface,) = _interfaces(ec2, [target["NetworkInterfaceId"]])
    assert efs.describe_mount_target_security_groups(**asked)["SecurityGroups"] == _groups(interface) != []
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=subnet["VpcId"])["GroupId"]
    efs.modify_mount_target_security_groups(**asked, SecurityGroups=[other])
    assert _groups(_interfaces(ec2, [target["NetworkInterfaceId"]])[0]) == [other]
    free = _free(ec2, subnet["SubnetId"])
    efs.delete_mount_target(**asked)
    assert _free(ec2, subnet["SubnetId"]) == free + 1
