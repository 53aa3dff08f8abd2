"""CloudFormation of the embedded AWS: each test names a repair of moto and fails when it is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

Resources = Mapping[str, Mapping[str, Any]]


class Stacks:
    """Creates and looks at stacks with names of their own."""

    def __init__(self, session: boto3.Session) -> None:
        self.client = session.client("cloudformation")

    def create(self, resources: Resources, outputs: Mapping[str, Any] | None = None) -> str:
        """Create a stack and give its name, however it ends."""
        name = f"stack-{uuid4().hex[:12]}"
        self.client.create_stack(StackName=name, TemplateBody=template(resources, outputs))
        return name

    def status(self, name: str) -> tuple[str, str]:
        """Status and reason."""
        stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return stack["StackStatus"], stack.get("StackStatusReason", "")

    def outputs(self, name: str) -> dict[str, str]:
        """Outputs by key."""
        stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def events(self, name: str) -> list[tuple[str, str]]:
        """Logical id and status, oldest first."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [(each["LogicalResourceId"], each["ResourceStatus"]) for each in reversed(events)]

    def physical_ids(self, name: str) -> dict[str, str]:
        """Physical id by logical id."""
        found = self.client.describe_stack_resources(StackName=name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def template(resources: Resources, outputs: Mapping[str, Any] | None = None) -> str:
    """A template's text."""
    return json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})


@pytest.fixture
def stacks(aws_session: boto3.Session) -> Stacks:
    """CloudFormation of the embedded AWS."""
    return Stacks(aws_session)


BUCKET = {"Type": "AWS::S3::Bucket"}
LOG_GROUP = {"Type": "AWS::Logs::LogGroup"}
RULE_OF_NO_GROUP = {
    "Type": "AWS::EC2::SecurityGroupIngress",
    "Properties": {"GroupId": "sg-00000000000000000", "IpProtocol": "-1", "CidrIp": "10.0.0.0/8"},
}


def _parameter(value: Any) -> dict[str, Any]:
    properties = {"Name": f"/test/{uuid4().hex}", "Type": "String", "Value": value}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties}


def _in_vpc(**members: Any) -> dict[str, Any]:
    return {"VpcId": {"Ref": "Vpc"}, **members}


NETWORK: Resources = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.7.0.0/16", "EnableDnsHostnames": True}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": _in_vpc(CidrBlock="10.7.0.0/24", AvailabilityZoneId="use1-az4"),
    },
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": _in_vpc()},
    "Association": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Subnet"}},
    },
    "Gateway": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": _in_vpc(
            ServiceName="com.amazonaws.us-east-1.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[{"Ref": "Table"}],
        ),
    },
    "Logs": LOG_GROUP,
    "FlowLog": {
        "Type": "AWS::EC2::FlowLog",
        "Properties": {
            "ResourceId": {"Ref": "Vpc"},
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": {"Ref": "Logs"},
            "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/logs",
        },
    },
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": _in_vpc(GroupDescription="jobs")},
    "Out": {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {
            "GroupId": {"Ref": "Group"},
            "IpProtocol": "tcp",
            "FromPort": 988,
            "ToPort": 988,
            "DestinationSecurityGroupId": {"Ref": "Group"},
        },
    },
    "In": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {"GroupId": {"Ref": "Group"}, "IpProtocol": "-1", "SourceSecurityGroupId": {"Ref": "Group"}},
    },
}


def test_unknown_types_are_refused_all_at_once_and_nothing_is_made(stacks: Stacks) -> None:
    """moto skips a type that it does not know and says CREATE_COMPLETE."""
    resources = {"Good": BUCKET, "B": {"Type": "AWS::Batch::Nonsense"}, "A": {"Type": "AWS::Alien::Thing"}}
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \['AWS::Alien::Thing', 'AWS::Batch::Nonsens"):
        stacks.client.create_stack(StackName="unknown-types", TemplateBody=template(resources))
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stacks.client.create_change_set(
            StackName="unknown-types", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=template(resources)
        )
    with pytest.raises(ClientError, match="does not exist"):
        stacks.status("unknown-types")


def test_the_metadata_of_the_cdk_does_nothing(stacks: Stacks) -> None:
    """AWS::CDK::Metadata is in every template that the CDK writes."""
    name = stacks.create({"CDKMetadata": {"Type": "AWS::CDK::Metadata"}, "Bucket": BUCKET})
    assert stacks.status(name)[0] == "CREATE_COMPLETE"


def test_a_failing_resource_rolls_its_stack_back(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto leaves CREATE_IN_PROGRESS for ever, and makes everything anew when the stack is looked at."""
    name = stacks.create(
        {"Bucket": BUCKET, "Rule": {**RULE_OF_NO_GROUP, "DependsOn": "Bucket"}}, {"B": {"Value": {"Ref": "Bucket"}}}
    )
    assert stacks.status(name)[0] == "ROLLBACK_COMPLETE"
    assert stacks.outputs(name) == {}
    assert ("Bucket", "DELETE_COMPLETE") in stacks.events(name)
    failed = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [each["ResourceStatusReason"] for each in failed if each["ResourceStatus"] == "CREATE_FAILED"]
    assert len(reasons) == 1
    assert "sg-00000000000000000" in reasons[0]
    assert not [each for each in aws_session.client("s3").list_buckets()["Buckets"] if each["Name"].startswith(name)]


def test_resources_wait_for_what_they_depend_on(stacks: Stacks) -> None:
    """moto makes a resource as soon as another refers to it, before what it depends on."""
    name = stacks.create(
        {
            "First": _parameter({"Ref": "Second"}),
            "Second": {**BUCKET, "DependsOn": ["Third"]},
            "Third": LOG_GROUP,
        }
    )
    made = [each for each, status in stacks.events(name) if status == "CREATE_COMPLETE"]
    assert made == ["Third", "Second", "First", name]


def test_retained_resources_outlive_their_stack(stacks: Stacks, aws_session: boto3.Session) -> None:
    """Retain keeps a bucket at deletion, and the stack's events say so; everything else goes."""
    name = stacks.create(
        {"Kept": {**BUCKET, "DeletionPolicy": "Retain"}, "Kept2": {**BUCKET, "DeletionPolicy": "RetainExceptOnCreate"}}
        | {"Gone": BUCKET}
    )
    ids = stacks.physical_ids(name)
    stack_id = stacks.client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    stacks.client.delete_stack(StackName=name)
    assert stacks.status(stack_id)[0] == "DELETE_COMPLETE"
    buckets = {each["Name"] for each in aws_session.client("s3").list_buckets()["Buckets"]}
    assert {ids["Kept"], ids["Kept2"]} <= buckets
    assert ids["Gone"] not in buckets


def test_a_stack_whose_export_is_in_use_is_not_deleted(stacks: Stacks) -> None:
    """moto deletes it, and leaves the other stack with a reference to nothing."""
    export = f"export-{uuid4().hex[:8]}"
    exporter = stacks.create({"Bucket": BUCKET}, {"B": {"Value": {"Ref": "Bucket"}, "Export": {"Name": export}}})
    importer = stacks.create({"Parameter": _parameter({"Fn::ImportValue": export})})
    stacks.client.delete_stack(StackName=exporter)
    assert stacks.status(exporter) == (
        "DELETE_FAILED",
        f"Export {export} cannot be deleted as it is in use by {importer}",
    )
    stacks.client.delete_stack(StackName=importer)
    stacks.client.delete_stack(StackName=exporter)
    with pytest.raises(ClientError, match="does not exist"):
        stacks.status(exporter)


def test_a_resource_that_fails_to_go_fails_the_deletion(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto forgets the stack; here it stays, in DELETE_FAILED, and can be deleted when the reason is gone."""
    name = stacks.create({"Bucket": BUCKET})
    bucket, s3 = stacks.physical_ids(name)["Bucket"], aws_session.client("s3")
    s3.put_object(Bucket=bucket, Key="left", Body=b"")
    stacks.client.delete_stack(StackName=name)
    status, reason = stacks.status(name)
    assert status == "DELETE_FAILED"
    assert "Bucket" in reason
    s3.delete_object(Bucket=bucket, Key="left")
    stacks.client.delete_stack(StackName=name)
    with pytest.raises(ClientError, match="does not exist"):
        stacks.status(name)


def test_what_cannot_be_updated_is_an_error_that_says_so(stacks: Stacks) -> None:
    """moto forgets a resource that it cannot update and says UPDATE_COMPLETE."""
    name = stacks.create(NETWORK)
    changed = json.loads(json.dumps(NETWORK))
    changed["Subnet"]["Properties"]["CidrBlock"] = "10.7.1.0/24"
    stacks.client.update_stack(StackName=name, TemplateBody=template(changed))
    status, reason = stacks.status(name)
    assert status == "UPDATE_ROLLBACK_FAILED"
    assert reason.startswith("Subnet (AWS::EC2::Subnet): the embedded AWS cannot change it in place")


def test_change_sets_of_one_name_belong_to_their_stacks(stacks: Stacks) -> None:
    """The CDK gives all change sets one name; moto mixes them up, and loses outputs and exports."""
    export = f"export-{uuid4().hex[:8]}"
    names = [f"set-{uuid4().hex[:8]}", f"set-{uuid4().hex[:8]}"]
    outputs = {"B": {"Value": {"Ref": "Bucket"}, "Export": {"Name": export}}}
    bodies = [
        template({"Bucket": BUCKET}, outputs),
        template({"P": _parameter({"Fn::ImportValue": export})}, {"P": {"Value": {"Ref": "P"}}}),
    ]
    for name, body in zip(names, bodies, strict=True):
        stacks.client.create_change_set(
            StackName=name, ChangeSetName="deploy", ChangeSetType="CREATE", TemplateBody=body
        )
    for name in names:
        found = stacks.client.describe_change_set(StackName=name, ChangeSetName="deploy")
        assert found["StackName"] == name
        stacks.client.execute_change_set(StackName=name, ChangeSetName="deploy")
        assert stacks.status(name)[0] == "CREATE_COMPLETE"
    stacks.client.delete_change_set(StackName=names[1], ChangeSetName="deploy")
    assert stacks.client.describe_change_set(StackName=names[0], ChangeSetName="deploy")["StackName"] == names[0]
    with pytest.raises(stacks.client.exceptions.ChangeSetNotFoundException):
        stacks.client.describe_change_set(StackName=names[1], ChangeSetName="deploy")
    assert stacks.outputs(names[0])["B"].startswith(names[0])
    assert set(stacks.outputs(names[1])) == {"P"}


def test_a_bucket_has_every_property_of_its_template(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto drops versioning, public access block, ownership, life cycle and access logs."""
    blocked = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    properties = {
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": blocked,
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "access/"},
        "LifecycleConfiguration": {
            "Rules": [
                {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
                {"Status": "Enabled", "Prefix": "data/", "Transitions": [_INTELLIGENT_TIERING]},
            ]
        },
    }
    name = stacks.create({"Logs": BUCKET, "Data": {**BUCKET, "Properties": properties}})
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    ids, s3 = stacks.physical_ids(name), aws_session.client("s3")
    data = ids["Data"]
    assert s3.get_bucket_versioning(Bucket=data)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=data)["PublicAccessBlockConfiguration"] == blocked
    owner = s3.get_bucket_ownership_controls(Bucket=data)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    logging = s3.get_bucket_logging(Bucket=data)["LoggingEnabled"]
    assert (logging["TargetBucket"], logging["TargetPrefix"]) == (ids["Logs"], "access/")
    abort, tier = s3.get_bucket_lifecycle_configuration(Bucket=data)["Rules"]
    assert abort["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert tier["Filter"] == {"Prefix": "data/"}
    assert tier["Transitions"] == [{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}]


_INTELLIGENT_TIERING = {"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}


def test_a_bucket_property_that_nobody_applies_fails_by_its_name(stacks: Stacks) -> None:
    """Dropping it in silence is what moto does."""
    name = stacks.create(
        {"B": {**BUCKET, "Properties": {"AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}}}
    )
    status, _ = stacks.status(name)
    assert status == "ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    assert any("does not apply AccelerateConfiguration" in each.get("ResourceStatusReason", "") for each in events)


def _deny(condition: Mapping[str, Any]) -> dict[str, Any]:
    resource = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resource, "Condition": condition}


@pytest.mark.parametrize(
    ("condition", "is_denied"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False),
        ({}, True),
    ],
    ids=["without TLS", "with TLS", "cannot be judged", "always"],
)
def test_a_bucket_policy_denies_what_its_condition_says(
    stacks: Stacks, aws_session: boto3.Session, condition: Mapping[str, Any], is_denied: bool
) -> None:
    """moto lacks AWS::S3::BucketPolicy, and takes each condition that it cannot judge for one that denies."""
    document = {"Version": "2012-10-17", "Statement": [_deny(condition)]}
    policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}
    name = stacks.create({"Bucket": BUCKET, "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}})
    bucket, s3 = stacks.physical_ids(name)["Bucket"], aws_session.client("s3")
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Effect"] == "Deny"
    if is_denied:
        with pytest.raises(ClientError, match="403"):
            s3.put_object(Bucket=bucket, Key="key", Body=b"")
    else:
        s3.put_object(Bucket=bucket, Key="key", Body=b"")
        s3.put_object(Bucket=bucket, Key="key", Body=b"again")


def test_a_network_is_what_its_template_says(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto knows no AZ ids, egress rules, DNS attributes, nor which subnet a route table belongs to."""
    name = stacks.create(NETWORK)
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    ids, ec2 = stacks.physical_ids(name), aws_session.client("ec2")
    subnet = ec2.describe_subnets(SubnetIds=[ids["Subnet"]])["Subnets"][0]
    assert subnet["AvailabilityZoneId"] == "use1-az4"
    assert ec2.describe_vpc_attribute(VpcId=ids["Vpc"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    of_subnet = [{"Name": "association.subnet-id", "Values": [ids["Subnet"]]}]
    tables = ec2.describe_route_tables(Filters=of_subnet)["RouteTables"]
    assert [each["RouteTableId"] for each in tables] == [ids["Table"]]
    assert ids["Gateway"] in [route.get("GatewayId") for route in tables[0]["Routes"]]
    group = ec2.describe_security_groups(GroupIds=[ids["Group"]])["SecurityGroups"][0]
    outward = [(each["FromPort"], each["UserIdGroupPairs"][0]["GroupId"]) for each in group["IpPermissionsEgress"]]
    assert outward == [(988, ids["Group"])], "its own rule only, not the default that lets everything out"
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == ids["Group"]


def test_the_rules_inside_a_group_replace_its_default(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto ignores egress rules inside a group, and fails on an ingress rule without ports."""
    properties = {
        "GroupDescription": "closed",
        "VpcId": {"Ref": "Vpc"},
        "SecurityGroupIngress": [{"IpProtocol": "-1", "CidrIp": "10.7.0.0/16"}],
        "SecurityGroupEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.7.0.0/16"}],
    }
    name = stacks.create({"Vpc": NETWORK["Vpc"], "G": {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}})
    group = stacks.physical_ids(name)["G"]
    found = aws_session.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert [each["FromPort"] for each in found["IpPermissionsEgress"]] == [443]
    assert [each["IpRanges"][0]["CidrIp"] for each in found["IpPermissions"]] == ["10.7.0.0/16"]


def test_a_network_can_be_deleted(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto keeps endpoints, flow logs and route tables, and the VPC with them."""
    name = stacks.create(NETWORK)
    ids, ec2 = stacks.physical_ids(name), aws_session.client("ec2")
    stacks.client.delete_stack(StackName=name)
    with pytest.raises(ClientError, match="InvalidVpcID"):
        ec2.describe_vpcs(VpcIds=[ids["Vpc"]])
    assert not ec2.describe_flow_logs(FlowLogIds=[ids["FlowLog"]])["FlowLogs"]


def _file_system(capacity: int) -> dict[str, Any]:
    lustre = {"DeploymentType": "SCRATCH_2"}
    properties = {
        "FileSystemType": "LUSTRE",
        "FileSystemTypeVersion": "2.15",
        "StorageCapacity": capacity,
        "SubnetIds": [{"Ref": "Subnet"}],
        "SecurityGroupIds": [{"Ref": "Group"}],
        "LustreConfiguration": lustre,
    }
    return {"Type": "AWS::FSx::FileSystem", "Properties": properties}


def test_a_lustre_with_a_link_comes_up_available_and_goes(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto has neither type; the stack is complete when both are AVAILABLE, and gone when both are gone."""
    link = {
        "FileSystemId": {"Ref": "Lustre"},
        "FileSystemPath": "/data",
        "DataRepositoryPath": {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/data/"]]},
        "BatchImportMetaDataOnCreate": True,
    }
    resources = {
        **NETWORK,
        "Bucket": BUCKET,
        "Lustre": _file_system(1200),
        "Link": {"Type": "AWS::FSx::DataRepositoryAssociation", "Properties": link},
    }
    name = stacks.create(resources, {"Mount": {"Value": {"Fn::GetAtt": ["Lustre", "LustreMountName"]}}})
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    ids, fsx = stacks.physical_ids(name), aws_session.client("fsx")
    found = fsx.describe_file_systems(FileSystemIds=[ids["Lustre"]])["FileSystems"][0]
    assert found["Lifecycle"] == "AVAILABLE"
    assert found["LustreConfiguration"]["MountName"] == stacks.outputs(name)["Mount"]
    linked = fsx.describe_data_repository_associations(AssociationIds=[ids["Link"]])["Associations"][0]
    assert (linked["Lifecycle"], linked["FileSystemPath"]) == ("AVAILABLE", "/data")
    stacks.client.delete_stack(StackName=name)
    with pytest.raises(fsx.exceptions.FileSystemNotFound):
        fsx.describe_file_systems(FileSystemIds=[ids["Lustre"]])


def test_a_stack_that_is_looked_at_while_it_grows_is_made_once(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto makes what is missing whenever somebody reads a stack's resources."""
    name = f"stack-{uuid4().hex[:12]}"
    resources = {**NETWORK, "Lustre": _file_system(1200), "Bucket": {**BUCKET, "DependsOn": "Lustre"}}
    with ThreadPoolExecutor(1) as maker:
        making = maker.submit(stacks.client.create_stack, StackName=name, TemplateBody=template(resources))
        while not making.done():
            with suppress(ClientError):  # not yet there
                stacks.physical_ids(name)
        making.result()
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    buckets = [each["Name"] for each in aws_session.client("s3").list_buckets()["Buckets"]]
    assert [each for each in buckets if each.startswith(name)] == [stacks.physical_ids(name)["Bucket"]]


def test_the_services_reason_reaches_the_stack(stacks: Stacks) -> None:
    """A capacity that FSx refuses fails the stack with FSx's own message."""
    name = stacks.create({**NETWORK, "Lustre": _file_system(3600)})
    status, _ = stacks.status(name)
    assert status == "ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    said = "Invalid Lustre FS storage capacity: 3600. Must be 1200 or a multiple of 2400."
    assert any(said in each for each in reasons)


def test_an_operation_that_moto_lacks_is_not_tried_again(aws_session: boto3.Session) -> None:
    """moto answers 500, which clients take for a passing trouble."""
    with pytest.raises(ClientError) as refused:
        aws_session.client("cloudtrail").lookup_events()
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


ALLOW_NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::none"}],
}
TRUST_NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def test_a_role_has_its_managed_policies_and_both_go(stacks: Stacks, aws_session: boto3.Session) -> None:
    """moto attaches none of them, and keeps the policies of deleted stacks."""
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": ALLOW_NOTHING, "Path": "/"}}
    role = {"AssumeRolePolicyDocument": TRUST_NOBODY, "ManagedPolicyArns": [{"Ref": "Policy"}]}
    inline = {"PolicyName": "inline", "PolicyDocument": ALLOW_NOTHING, "Roles": [{"Ref": "Role"}]}
    resources = {
        "Policy": managed,
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Inline": {"Type": "AWS::IAM::Policy", "Properties": inline},
    }
    name = stacks.create(resources)
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    ids, iam = stacks.physical_ids(name), aws_session.client("iam")
    attached = iam.list_attached_role_policies(RoleName=ids["Role"])["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [ids["Policy"]]
    assert iam.list_role_policies(RoleName=ids["Role"])["PolicyNames"] == ["inline"]
    stacks.client.delete_stack(StackName=name)
    for look in (lambda: iam.get_role(RoleName=ids["Role"]), lambda: iam.get_policy(PolicyArn=ids["Policy"])):
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            look()


def test_a_key_with_tags_can_be_described_and_is_scheduled_for_deletion(
    stacks: Stacks, aws_session: boto3.Session
) -> None:
    """moto fails on its tags, breaks DescribeKey by its policy, and never deletes it."""
    allow = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    properties = {
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [allow]},
        "EnableKeyRotation": True,
        "Tags": [{"Key": "owner", "Value": "me"}],
    }
    name = stacks.create({"Key": {"Type": "AWS::KMS::Key", "Properties": properties}})
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    key, kms = stacks.physical_ids(name)["Key"], aws_session.client("kms")
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "owner", "TagValue": "me"}]
    stacks.client.delete_stack(StackName=name)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_parameter_has_the_tags_of_its_template(stacks: Stacks, aws_session: boto3.Session) -> None:
    """They are a map in CloudFormation, and moto reads a list."""
    parameter = _parameter("text")
    parameter["Properties"]["Tags"] = {"owner": "me"}
    name = stacks.create({"Parameter": parameter})
    assert stacks.status(name) == ("CREATE_COMPLETE", "")
    tags = aws_session.client("ssm").list_tags_for_resource(
        ResourceType="Parameter", ResourceId=parameter["Properties"]["Name"]
    )
    assert tags["TagList"] == [{"Key": "owner", "Value": "me"}]
    parameter["Properties"]["Value"] = "another"
    stacks.client.update_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Parameter": parameter}}))
    assert stacks.status(name)[0] == "UPDATE_COMPLETE"
    found = aws_session.client("ssm").get_parameter(Name=parameter["Properties"]["Name"])
    assert found["Parameter"]["Value"] == "another"


def test_a_made_up_name_of_a_role_fits(stacks: Stacks, aws_session: boto3.Session) -> None:
    """IAM takes 64 characters; CloudFormation cuts the name, and keeps the end that makes it unique."""
    trusting = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trusting}}
    logical_ids = [f"ExecutionRoleOfATrainingJobOnFileSystems{number}" for number in (1, 2)]
    name = stacks.create(dict.fromkeys(logical_ids, role))
    names = [stacks.physical_ids(name)[each] for each in logical_ids]
    assert all(len(each) == 64 and each.startswith(name) for each in names)
    assert len(set(names)) == 2
    assert aws_session.client("iam").get_role(RoleName=names[0])["Role"]["RoleName"] == names[0]
