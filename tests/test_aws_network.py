"""What is made of EC2's, FSx's and EFS's answers: routes to S3, open ports, file systems and their links."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from botocore.stub import Stubber
from headrace.aws import Aws, AwsError
from headrace.aws.connection import AccessDenied
from headrace.aws.file_systems import LustreDescription, MountTarget
from headrace.aws.network import InterfaceDescription, reaches_s3
from headrace.roads import PortRange
from headrace.rules import UNKNOWN
from headrace.rules.network_facts import AclEntry, AclFacts, Opening
from headrace.rules.ports import Peer, are_open

VPC, SUBNET, INTERFACE = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "eni-0123456789abcdef0"
ENDPOINTS = {"vpce-1"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
TO_ENDPOINT = {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"}


def table(*routes: dict[str, Any], subnet: str | None = None) -> dict[str, Any]:
    """A route table of a subnet; without one, the VPC's main table."""
    return {"Routes": [LOCAL, *routes], "Associations": [{"SubnetId": subnet} if subnet else {"Main": True}]}


def to_anywhere(**way: str) -> dict[str, Any]:
    """A default route."""
    return {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"} | way


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([table(TO_ENDPOINT, subnet="subnet-1")], True),
        ([table(to_anywhere(NatGatewayId="nat-1"), subnet="subnet-1")], True),
        ([table(to_anywhere(TransitGatewayId="tgw-1"), subnet="subnet-1")], True),
        ([table(TO_ENDPOINT)], True),
        ([table(TO_ENDPOINT), table(subnet="subnet-1")], False),
        ([table(subnet="subnet-2"), table(TO_ENDPOINT)], True),
        ([table(subnet="subnet-1")], False),
        ([table(TO_ENDPOINT, subnet="subnet-2")], False),
        ([table(TO_ENDPOINT | {"GatewayId": "vpce-dynamodb"}, subnet="subnet-1")], False),
        ([table(TO_ENDPOINT | {"State": "blackhole"}, subnet="subnet-1")], False),
        # an interface in a private subnet has no public address, so an internet gateway leads it nowhere
        ([table(to_anywhere(GatewayId="igw-1"), subnet="subnet-1")], False),
        (
            [table(to_anywhere(NatGatewayId="nat-1", DestinationCidrBlock="10.9.0.0/16"), subnet="subnet-1")],
            False,
        ),
        ([], False),
        *(
            ([table(to_anywhere(**way), subnet="subnet-1")], True)
            for way in (
                {"GatewayId": "vgw-1"},
                {"GatewayId": "vpce-of-a-firewall"},
                {"CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c"},
                {"NetworkInterfaceId": "eni-1"},
                {"LocalGatewayId": "lgw-1"},
            )
        ),
        ([table(to_anywhere(VpcPeeringConnectionId="pcx-1"), subnet="subnet-1")], False),
        ([table(to_anywhere(NatGatewayId="nat-1", State="blackhole"), subnet="subnet-1")], False),
        (
            [
                table(
                    to_anywhere(NatGatewayId="nat-1", DestinationCidrBlock="0.0.0.0/1"),
                    to_anywhere(TransitGatewayId="tgw-1", DestinationCidrBlock="128.0.0.0/1"),
                    subnet="subnet-1",
                )
            ],
            True,
        ),
        # these may be addresses of S3, or not
        ([table(to_anywhere(NatGatewayId="nat-1", DestinationCidrBlock="52.216.0.0/15"), subnet="subnet-1")], UNKNOWN),
        (
            [table({"DestinationPrefixListId": "pl-9", "TransitGatewayId": "tgw-1", "State": "active"})],
            UNKNOWN,
        ),
        ([table({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"})], False),
    ],
)
def test_a_subnet_reaches_s3_by_its_own_table_or_else_the_main_one(
    tables: list[dict[str, Any]], expected: object
) -> None:
    """A gateway endpoint of S3, or a way out that is no internet gateway."""
    assert reaches_s3("subnet-1", tables, ENDPOINTS) is expected


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A facade whose clients are stubbed; no call leaves."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return Aws("eu-west-1")


def _stub(aws: Aws, service: str) -> Stubber:
    stubber = Stubber(aws.connection.client(service))
    stubber.activate()
    return stubber


def test_a_groups_openings_are_its_tcp_rules(aws: Aws) -> None:
    """To groups and to networks; all protocols are all ports, and other protocols are none."""
    permissions: list[dict[str, Any]] = [
        {"IpProtocol": "tcp", "FromPort": 988, "ToPort": 988, "UserIdGroupPairs": [{"GroupId": "sg-2"}]},
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
        {"IpProtocol": "6", "FromPort": 1018, "ToPort": 1023, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
        {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65_535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ]
    group = {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": permissions, "IpPermissionsEgress": []}
    asked = {"Filters": [{"Name": "group-id", "Values": ["sg-1", "sg-9"]}]}
    _stub(aws, "ec2").add_response("describe_security_groups", {"SecurityGroups": [group]}, asked)
    (facts,) = aws.network.security_groups({"sg-9", "sg-1"})
    assert facts.inbound == (
        Opening(ports=PortRange(988, 988), groups=frozenset({"sg-2"})),
        Opening(ports=PortRange(0, 65_535), networks=(IPv4Network("10.0.0.0/16"),)),
        Opening(ports=PortRange(1018, 1023), prefix_lists=frozenset({"pl-1"})),
    )
    assert facts.outbound == ()


@pytest.mark.parametrize(
    ("openings", "expected"),
    [
        ([Opening(ports=PortRange(988, 988), groups=frozenset({"sg-2"}))], True),
        ([Opening(ports=PortRange(0, 65_535), groups=frozenset({"sg-2"}))], True),
        ([Opening(ports=PortRange(989, 65_535), groups=frozenset({"sg-2"}))], False),
        ([Opening(ports=PortRange(988, 988), groups=frozenset({"sg-3"}))], False),
        ([Opening(ports=PortRange(988, 988), networks=(IPv4Network("10.0.0.0/8"),))], True),
        ([Opening(ports=PortRange(988, 988), networks=(IPv4Network("10.0.1.0/24"),))], False),
        (
            [
                Opening(ports=PortRange(988, 988), networks=(IPv4Network("10.0.1.0/25"), IPv4Network("10.0.2.0/23"))),
                Opening(ports=PortRange(0, 65_535), networks=(IPv4Network("10.0.1.128/25"),)),
            ],
            True,
        ),
        ([Opening(ports=PortRange(988, 988), prefix_lists=frozenset({"pl-1"}))], False),
        ([], False),
    ],
)
def test_a_port_is_open_to_a_peer_by_group_or_for_all_of_its_addresses(openings: list[Opening], expected: bool) -> None:
    """A range that holds one of two subnets would leave the other side closed half of the time."""
    peer = Peer(
        name="job",
        groups=frozenset({"sg-2"}),
        subnet_ids=frozenset(),
        networks=(IPv4Network("10.0.1.0/24"), IPv4Network("10.0.2.0/24")),
    )
    assert are_open(PortRange(988, 988), peer, openings) is expected


def test_a_network_acl_is_its_entries_for_tcp_in_their_order(aws: Aws) -> None:
    """Other protocols and IPv6 are left out; an entry without ports is for all of them."""
    entries = [
        {"RuleNumber": 32_767, "Egress": False, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"},
        {
            "RuleNumber": 100,
            "Egress": False,
            "Protocol": "6",
            "RuleAction": "allow",
            "CidrBlock": "10.0.0.0/16",
            "PortRange": {"From": 988, "To": 1023},
        },
        {"RuleNumber": 90, "Egress": False, "Protocol": "17", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"},
        {"RuleNumber": 100, "Egress": True, "Protocol": "-1", "RuleAction": "allow", "Ipv6CidrBlock": "::/0"},
    ]
    acl = {"NetworkAclId": "acl-1", "Associations": [{"SubnetId": SUBNET}], "Entries": entries}
    asked = {"Filters": [{"Name": "vpc-id", "Values": [VPC]}]}
    _stub(aws, "ec2").add_response("describe_network_acls", {"NetworkAcls": [acl]}, asked)
    assert aws.network.acls(VPC) == [
        AclFacts(
            acl_id="acl-1",
            subnet_ids=frozenset({SUBNET}),
            inbound=(
                AclEntry(allows=True, ports=PortRange(988, 1023), network=IPv4Network("10.0.0.0/16")),
                AclEntry(allows=False, ports=PortRange(0, 65_535), network=IPv4Network("0.0.0.0/0")),
            ),
            outbound=(),
        )
    ]


def test_an_interface_has_a_subnet_groups_and_an_address(aws: Aws) -> None:
    """What is judged of a file system's side of a connection."""
    described = {
        "NetworkInterfaceId": INTERFACE,
        "SubnetId": SUBNET,
        "PrivateIpAddress": "10.0.1.7",
        "Groups": [{"GroupId": "sg-1"}],
    }
    _stub(aws, "ec2").add_response("describe_network_interfaces", {"NetworkInterfaces": [described]})
    assert aws.network.interfaces([INTERFACE]) == {
        INTERFACE: InterfaceDescription(subnet_id=SUBNET, groups=frozenset({"sg-1"}), address=IPv4Address("10.0.1.7"))
    }


@pytest.mark.parametrize(
    ("code", "message", "action"),
    [
        ("AccessDenied", "User: x is not authorized to perform: iam:GetRole on resource: role r", "iam:GetRole"),
        ("UnauthorizedOperation", "You are not authorized to perform this operation.", "ec2:DescribeSubnets"),
    ],
)
def test_a_denial_names_the_missing_permission(aws: Aws, code: str, message: str, action: str) -> None:
    """As the service's message says it, else by the operation, which is mostly named like its permission."""
    _stub(aws, "ec2").add_client_error("describe_subnets", code, message)
    with pytest.raises(AccessDenied, match="user policy") as denied:
        aws.network.subnets([SUBNET])
    assert denied.value.action == action


def test_a_lustre_is_described_or_is_not_there(aws: Aws) -> None:
    """A refusal for another reason is no answer to whether it exists."""
    stub, file_system_id = _stub(aws, "fsx"), "fs-0123456789abcdef0"
    described = {
        "FileSystemId": file_system_id,
        "Lifecycle": "AVAILABLE",
        "VpcId": VPC,
        "SubnetIds": [SUBNET],
        "NetworkInterfaceIds": [INTERFACE],
        "LustreConfiguration": {"MountName": "abcd1234"},
    }
    stub.add_response("describe_file_systems", {"FileSystems": [described]}, {"FileSystemIds": [file_system_id]})
    stub.add_client_error("describe_file_systems", "FileSystemNotFound")
    stub.add_client_error("describe_file_systems", "AccessDeniedException")
    assert aws.file_systems.lustre(file_system_id) == LustreDescription(
        file_system_id=file_system_id,
        lifecycle="AVAILABLE",
        vpc_id=VPC,
        subnet_ids=(SUBNET,),
        mount_name="abcd1234",
        interface_ids=(INTERFACE,),
    )
    assert aws.file_systems.lustre(file_system_id) is None
    with pytest.raises(AwsError, match="AccessDenied"):
        aws.file_systems.lustre(file_system_id)


def test_links_are_read_over_all_pages(aws: Aws) -> None:
    """botocore has no paginator for them; a slash at the end makes no difference."""
    stub = _stub(aws, "fsx")
    asked: dict[str, Any] = {"Filters": [{"Name": "file-system-id", "Values": ["fs-0123456789abcdef0"]}]}
    for number, token in ((1, "more"), (2, None)):
        place = {"FileSystemPath": f"/p{number}/", "DataRepositoryPath": f"s3://lake/p{number}/"}
        page = {"Associations": [place | {"Lifecycle": "AVAILABLE", "AssociationId": f"dra-0123456789abcde0{number}"}]}
        sent = asked if number == 1 else asked | {"NextToken": "more"}
        stub.add_response("describe_data_repository_associations", page | ({"NextToken": token} if token else {}), sent)
    assert aws.file_systems.links("fs-0123456789abcdef0") == {
        (f"/p{number}", f"s3://lake/p{number}"): "AVAILABLE" for number in (1, 2)
    }


def test_an_efs_has_a_state_and_mount_targets(aws: Aws) -> None:
    """None of this id is no error: the rule says so."""
    stub = _stub(aws, "efs")
    stub.add_client_error("describe_file_systems", "FileSystemNotFound")
    target = {
        "MountTargetId": "fsmt-0123456789abcdef0",
        "FileSystemId": "fs-1",
        "SubnetId": SUBNET,
        "LifeCycleState": "creating",
        "AvailabilityZoneId": "euw1-az1",
        "VpcId": VPC,
        "NetworkInterfaceId": INTERFACE,
    }
    stub.add_response("describe_mount_targets", {"MountTargets": [target]}, {"FileSystemId": "fs-1"})
    assert aws.file_systems.efs_state("fs-1") is None
    assert aws.file_systems.mount_targets("fs-1") == [
        MountTarget(az_id="euw1-az1", vpc_id=VPC, state="creating", interface_id=INTERFACE)
    ]


def test_an_efs_has_a_policy_or_the_default_one(aws: Aws) -> None:
    """EFS answers PolicyNotFound while the default policy is in effect."""
    stub, asked = _stub(aws, "efs"), {"FileSystemId": "fs-1"}
    stub.add_client_error("describe_file_system_policy", "PolicyNotFound")
    stub.add_response("describe_file_system_policy", {"FileSystemId": "fs-1", "Policy": '{"Statement": []}'}, asked)
    assert aws.file_systems.efs_policy("fs-1") is None
    assert aws.file_systems.efs_policy("fs-1") == {"Statement": []}
