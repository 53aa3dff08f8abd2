"""The self-contained templates, deployed by plain CreateStack into the embedded AWS, in the order of their README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace.platform import Platform, parameter_path, parse_platform
from headrace_local.process import Running

from stacks.portable import templates as portable
from stacks.portable.templates import EXISTING_VPC, LUSTRE, NEW_VPC

ZONES = {"ZoneId1": "use1-az1", "ZoneId2": "use1-az2"}


@cache
def _body(template: str) -> str:
    return portable.text_of(portable.portable_templates()[template])


@dataclass(frozen=True)
class Account:
    """The embedded AWS, and what a platform team does there."""

    environment: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy(self, name: str, template: str, **parameters: str) -> dict[str, str]:
        """Create a stack from a template and give its outputs."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=_body(template),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def platform(self, name: str) -> Platform:
        """The platform as jobs read it."""
        found = self.client("ssm").get_parameters_by_path(Path=parameter_path(name))["Parameters"]
        return parse_platform(name, {each["Name"]: each["Value"] for each in found})


@pytest.fixture(scope="module")
def account(embedded_aws: Running) -> Account:
    """The embedded AWS of the session; stacks and platforms have names of their own."""
    return Account(environment=embedded_aws.environment())


@pytest.fixture(scope="module")
def existing_vpc(account: Account) -> dict[str, str]:
    """A VPC with two subnets and a route table, as Parameters of the template for existing ones."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.80.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        f"SubnetId{number}": ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.80.{number}.0/24", AvailabilityZoneId=zone)[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate(ZONES.values(), start=1)
    }
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {"VpcId": vpc, "RouteTableIds": table, **subnets, **ZONES}


@pytest.fixture(scope="module")
def new_platform(account: Account) -> Platform:
    """A foundation with its own VPC and a Lustre file system in its second zone, with nothing but what is required."""
    account.deploy("portable-new", NEW_VPC, PlatformName="portable-new", **ZONES)
    account.deploy("portable-new-lustre", LUSTRE, FoundationStackName="portable-new", ZoneNumber="2")
    return account.platform("portable-new")


@pytest.fixture(scope="module")
def existing_platform(account: Account, existing_vpc: dict[str, str]) -> Platform:
    """A foundation in an existing VPC and a persistent Lustre file system, with every choice other than the default."""
    account.deploy(
        "portable-existing",
        EXISTING_VPC,
        **existing_vpc,
        PlatformName="portable-existing",
        S3PrefixListId="pl-63a5400a",
        EfsPerformanceMode="maxIO",
        EfsThroughputMode="provisioned",
        EfsProvisionedMibps="100",
        EfsTransitionToIa="AFTER_30_DAYS",
        EfsBackup="ENABLED",
        IamPath="/ml/",
        PermissionsBoundaryArn="arn:aws:iam::aws:policy/PowerUserAccess",
    )
    account.deploy(
        "portable-existing-lustre",
        LUSTRE,
        FoundationStackName="portable-existing",
        DeploymentType="PERSISTENT_2",
        StorageCapacityGib="2400",
        PerUnitStorageThroughput="250",
        DataCompressionType="LZ4",
        LinkPath="/sets/birds",
        DataPrefix="data/birds/",
        AutoImport="NEW-CHANGED",
    )
    return account.platform("portable-existing")


def _lustre_of(account: Account, platform: Platform) -> tuple[dict[str, Any], dict[str, Any]]:
    assert platform.lustre is not None
    fsx, file_system_id = account.client("fsx"), platform.lustre.file_system_id
    (file_system,) = fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"]
    wanted = [{"Name": "file-system-id", "Values": [file_system_id]}]
    (link,) = fsx.describe_data_repository_associations(Filters=wanted)["Associations"]
    return file_system, link


@pytest.mark.parametrize("fixture", ["new_platform", "existing_platform"])
def test_the_record_names_what_was_deployed(account: Account, fixture: str, request: pytest.FixtureRequest) -> None:
    """Every id that jobs read is a resource that exists, where the record says."""
    platform: Platform = request.getfixturevalue(fixture)
    foundation, ec2, iam = platform.foundation, account.client("ec2"), account.client("iam")
    subnets = ec2.describe_subnets(SubnetIds=[each.subnet_id for each in foundation.subnets])["Subnets"]
    assert {each["SubnetId"]: each["AvailabilityZoneId"] for each in subnets} == {
        each.subnet_id: each.az_id for each in foundation.subnets
    }
    assert {each["VpcId"] for each in subnets} == {foundation.vpc_id}
    (group,) = ec2.describe_security_groups(GroupIds=[foundation.job_security_group_id])["SecurityGroups"]
    assert group["VpcId"] == foundation.vpc_id
    account.client("s3").head_bucket(Bucket=foundation.bucket)
    roles = {each["Arn"] for page in iam.get_paginator("list_roles").paginate() for each in page["Roles"]}
    assert {foundation.roles.s3, foundation.roles.file_systems, foundation.roles.both} <= roles
    assert foundation.efs is not None
    targets = account.client("efs").describe_mount_targets(FileSystemId=foundation.efs.file_system_id)["MountTargets"]
    assert {each["SubnetId"] for each in targets} == {each.subnet_id for each in foundation.subnets}


def test_a_new_vpc_is_cut_into_subnets(account: Account, new_platform: Platform) -> None:
    """Two quarters of the block, one in each zone, with the S3 gateway endpoint on their route tables."""
    ec2, vpc = account.client("ec2"), [{"Name": "vpc-id", "Values": [new_platform.foundation.vpc_id]}]
    subnets = ec2.describe_subnets(Filters=vpc)["Subnets"]
    assert {each["AvailabilityZoneId"]: each["CidrBlock"] for each in subnets} == {
        "use1-az1": "10.64.0.0/22",
        "use1-az2": "10.64.4.0/22",
    }
    (endpoint,) = ec2.describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"]
    tables = ec2.describe_route_tables(Filters=vpc)["RouteTables"]
    of_subnets = {each["RouteTableId"] for each in tables if any(a.get("SubnetId") for a in each["Associations"])}
    assert set(endpoint["RouteTableIds"]) == of_subnets


def test_the_defaults_give_a_scratch_file_system_in_the_chosen_zone(account: Account, new_platform: Platform) -> None:
    """1,200 GiB of SCRATCH_2 that shows data/ and follows nothing."""
    file_system, link = _lustre_of(account, new_platform)
    second = new_platform.foundation.subnets[1]
    assert file_system["SubnetIds"] == [second.subnet_id]
    assert file_system["StorageCapacity"] == 1200
    assert file_system["LustreConfiguration"]["DeploymentType"] == "SCRATCH_2"
    assert "PerUnitStorageThroughput" not in file_system["LustreConfiguration"]
    assert link["DataRepositoryPath"] == f"s3://{new_platform.foundation.bucket}/data/"
    assert "AutoImportPolicy" not in link.get("S3", {})
    assert new_platform.lustre is not None
    assert (new_platform.lustre.az_id, new_platform.lustre.storage_capacity_gib) == (second.az_id, 1200)
    assert not new_platform.lustre.per_unit_storage_throughput_mbps_per_tib


def test_every_choice_reaches_its_resource(account: Account, existing_platform: Platform) -> None:
    """EFS modes, Lustre's type, throughput and link, the roles' path and boundary."""
    foundation = existing_platform.foundation
    assert foundation.efs is not None
    (efs,) = account.client("efs").describe_file_systems(FileSystemId=foundation.efs.file_system_id)["FileSystems"]
    modes = (efs["PerformanceMode"], efs["ThroughputMode"], efs["ProvisionedThroughputInMibps"])
    assert modes == ("maxIO", "provisioned", 100)
    file_system, link = _lustre_of(account, existing_platform)
    configuration = file_system["LustreConfiguration"]
    assert (configuration["DeploymentType"], configuration["PerUnitStorageThroughput"]) == ("PERSISTENT_2", 250)
    assert existing_platform.lustre is not None
    assert existing_platform.lustre.per_unit_storage_throughput_mbps_per_tib == 250
    assert configuration["DataCompressionType"] == "LZ4"
    assert link["FileSystemPath"] == "/sets/birds"
    assert link["DataRepositoryPath"] == f"s3://{foundation.bucket}/data/birds/"
    assert link["S3"]["AutoImportPolicy"]["Events"] == ["NEW", "CHANGED"]
    role = account.client("iam").get_role(RoleName=foundation.roles.s3.rsplit("/", 1)[-1])["Role"]
    assert role["Path"] == "/ml/"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("policy/PowerUserAccess")


def test_jobs_reach_s3_by_the_prefix_list_or_by_any_address(
    account: Account, new_platform: Platform, existing_platform: Platform
) -> None:
    """With a prefix list, nothing but it; without one, any address, of which isolated subnets route to S3 only."""
    found = {}
    for platform in (new_platform, existing_platform):
        groups = account.client("ec2").describe_security_groups(GroupIds=[platform.foundation.job_security_group_id])
        https = [each for each in groups["SecurityGroups"][0]["IpPermissionsEgress"] if each.get("FromPort") == 443]
        found[platform.foundation.platform] = [
            [*(each["CidrIp"] for each in rule["IpRanges"]), *(each["PrefixListId"] for each in rule["PrefixListIds"])]
            for rule in https
        ]
    assert found == {"portable-new": [["0.0.0.0/0"]], "portable-existing": [["pl-63a5400a"]]}


def test_the_foundation_cannot_go_before_its_lustre(account: Account, new_platform: Platform) -> None:
    """The Lustre stack imports from it, and may itself be deleted and deployed again at any time."""
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName="portable-new")
    (stack,) = cloudformation.describe_stacks(StackName="portable-new")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "portable-new-lustre" in stack["StackStatusReason"]
    cloudformation.delete_stack(StackName="portable-new-lustre")
    assert account.platform("portable-new").lustre is None
    account.deploy("portable-new-lustre", LUSTRE, FoundationStackName="portable-new", ZoneNumber="2")
    assert account.platform("portable-new").lustre is not None


@pytest.mark.parametrize(
    ("template", "parameters", "reason"),
    [
        (NEW_VPC, {"PlatformName": "Team A"}, "PlatformName failed .* 1 to 30 lower-case"),
        (NEW_VPC, {"VpcCidr": "10.64.0.0/24"}, "VpcCidr failed .* /16 to /20"),
        (NEW_VPC, {"SubnetHostBits": "15"}, "SubnetHostBits failed"),
        (NEW_VPC, {"ZoneId1": "us-east-1a"}, "ZoneId1 failed .* zone's id such as use1-az1"),
        (NEW_VPC, {"ZoneId2": "use1-az1"}, "ZoneId1 and ZoneId2 are the same"),
        (NEW_VPC, {"EfsThroughputMode": "provisioned"}, "EfsProvisionedMibps is 1; allowed: 2 to 3414"),
        (NEW_VPC, {"EfsProvisionedMibps": "100"}, "EfsProvisionedMibps is given"),
        (NEW_VPC, {"EfsProvisionedMibps": "3415", "EfsThroughputMode": "provisioned"}, "EfsProvisionedMibps failed"),
        (NEW_VPC, {"EfsPerformanceMode": "maxIO"}, "allowed: generalPurpose with elastic"),
        (NEW_VPC, {"EfsTransitionToIa": "AFTER_2_DAYS"}, "EfsTransitionToIa failed"),
        (NEW_VPC, {"PermissionsBoundaryArn": "boundary"}, "PermissionsBoundaryArn failed .* managed policy"),
        (NEW_VPC, {"S3PrefixListId": "com.amazonaws.us-east-1.s3"}, "S3PrefixListId failed"),
        (EXISTING_VPC, {"SubnetId2": "=SubnetId1"}, "SubnetId1 and SubnetId2 are the same"),
        (EXISTING_VPC, {"VpcId": "vpc-0123456789abcdef0"}, "a subnet is of another VPC"),
        (EXISTING_VPC, {"RouteTableIds": "rtb-0123456789abcdef0,main"}, "RouteTableIds failed"),
        (EXISTING_VPC, {"CreateS3GatewayEndpoint": "maybe"}, "CreateS3GatewayEndpoint failed"),
        (LUSTRE, {"StorageCapacityGib": "3600"}, "StorageCapacityGib failed"),
        (LUSTRE, {"DeploymentType": "SCRATCH_1"}, "DeploymentType failed"),
        (LUSTRE, {"DeploymentType": "PERSISTENT_2"}, "Throughput is 0; allowed: one of 125, 250, 500, 1000"),
        (LUSTRE, {"PerUnitStorageThroughput": "125"}, "PerUnitStorageThroughput is given"),
        (LUSTRE, {"ZoneNumber": "3"}, "ZoneNumber failed"),
        (LUSTRE, {"DataPrefix": "code/"}, "DataPrefix failed .* data/ or a prefix below it"),
        (LUSTRE, {"LinkPath": "data"}, "LinkPath failed .* a path such as /data"),
        (LUSTRE, {"AutoImport": "DELETED"}, "AutoImport failed"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_made(
    account: Account, existing_vpc: dict[str, str], template: str, parameters: dict[str, str], reason: str
) -> None:
    """What the rules refuse at synth time, a template refuses by itself, and says what is allowed."""
    sound = {
        NEW_VPC: {"PlatformName": "refused", **ZONES},
        EXISTING_VPC: {"PlatformName": "refused", **existing_vpc},
        LUSTRE: {"FoundationStackName": "refused"},
    }[template]
    given = {key: sound[value[1:]] if value.startswith("=") else value for key, value in parameters.items()}
    with pytest.raises(ClientError, match=reason):
        account.deploy("portable-refused", template, **(sound | given))
    with pytest.raises(ClientError, match="does not exist"):
        account.client("cloudformation").describe_stacks(StackName="portable-refused")


def test_the_sound_parameters_of_the_table_are_taken(
    account: Account, existing_vpc: dict[str, str], existing_platform: Platform
) -> None:
    """What is refused above is refused for its one wrong value; a second platform shares the S3 gateway endpoint."""
    parameters = {**existing_vpc, "PlatformName": "portable-taken", "CreateS3GatewayEndpoint": "no"}
    account.deploy("portable-taken", EXISTING_VPC, **parameters)
    account.deploy("portable-taken-lustre", LUSTRE, FoundationStackName="portable-taken")
    assert account.platform("portable-taken").lustre is not None
    of_vpc = [{"Name": "vpc-id", "Values": [existing_vpc["VpcId"]]}]
    (endpoint,) = account.client("ec2").describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]
    assert endpoint["RouteTableIds"] == [existing_vpc["RouteTableIds"]]


def test_a_change_set_deploys_as_the_aws_cli_does(account: Account) -> None:
    """`aws cloudformation deploy` creates a change set, and executes it."""
    cloudformation, given = account.client("cloudformation"), {"PlatformName": "portable-change-set", **ZONES}
    change_set = cloudformation.create_change_set(
        StackName="portable-change-set",
        ChangeSetName="awscli-cloudformation-package-deploy-1",
        ChangeSetType="CREATE",
        TemplateBody=_body(NEW_VPC),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    cloudformation.execute_change_set(ChangeSetName=change_set["Id"])
    assert account.platform("portable-change-set").foundation.platform == "portable-change-set"
