"""The stacks of the committed environments: lifetimes, what is in them, and what must never be."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from headrace.platform import MAX_PARAMETER_BYTES, EphemeralPart, FoundationPart, LustrePart, Platform, parse_platform
from headrace_cdk.platform_part import largest_bytes

from stacks.composition import Target, compose
from stacks.settings import (
    BucketSettings,
    DataLocationSettings,
    EfsSettings,
    EnvironmentSettings,
    EphemeralSettings,
    ExistingNetworkSettings,
    IamSettings,
    IngestionSettings,
    IngestionStatementSettings,
    LinkSettings,
    LustreSettings,
    NetworkSettings,
    SubnetSettings,
    settings_of,
)

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
ENVIRONMENTS = ["dev", "prod"]
CLI_LIMIT_BYTES = 50 * 1024


class _CliDumper(yaml.SafeDumper):
    """Indents lists below their key, as the CDK CLI writes YAML; PyYAML by itself does not."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


@cache
def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return context


def _settings(environment: str = "dev") -> EnvironmentSettings:
    return settings_of(_context()["headrace"], environment)


def _templates(settings: EnvironmentSettings, environment: str = "dev") -> dict[str, Template]:
    stacks = compose(App(context=_context()), Target(environment=environment), settings)
    return {stack.stack_name.rsplit("-", 1)[-1]: Template.from_stack(stack) for stack in stacks}


@cache
def _committed(environment: str = "dev") -> dict[str, Template]:
    return _templates(_settings(environment), environment)


def _all_resources(environment: str) -> list[dict[str, Any]]:
    return [
        resource
        for template in _committed(environment).values()
        for resource in template.to_json()["Resources"].values()
    ]


def _record(templates: dict[str, Template]) -> Platform:
    """The platform as jobs would read it, with a stand-in for each value of the deployment."""
    parameters = {}
    for template in templates.values():
        for found in template.find_resources("AWS::SSM::Parameter").values():
            properties = found["Properties"]
            value = properties["Value"]
            pieces = value["Fn::Join"][1] if isinstance(value, dict) else [value]
            parameters[properties["Name"]] = "".join(p if isinstance(p, str) else "x" * 20 for p in pieces)
    return parse_platform("dev", parameters)


def _as_sent(template: Template) -> str:
    return yaml.dump(template.to_json(), Dumper=_CliDumper, sort_keys=False, width=80)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_lambda_custom_resource_or_asset(environment: str) -> None:
    """The templates deploy without bootstrap and leave no runtime behind that would need patching."""
    kinds = {resource["Type"] for resource in _all_resources(environment)}
    assert not [kind for kind in kinds if kind.startswith(("AWS::Lambda", "Custom::", "AWS::CloudFormation::Custom"))]
    for template in _committed(environment).values():
        text = json.dumps(template.to_json())
        assert "cdk-hnb659fds" not in text
        assert "BootstrapVersion" not in text
        assert "aws:asset" not in text


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_templates_are_small_enough_to_be_sent_without_a_bucket(environment: str) -> None:
    """Each stays under 50 KiB as YAML, the form in which the CDK CLI sends it."""
    for template in _committed(environment).values():
        assert len(_as_sent(template)) < CLI_LIMIT_BYTES


def test_nothing_imports_from_the_lustre_stack() -> None:
    """The Lustre stack takes from the foundation and exports nothing, so that it can be destroyed alone."""
    templates = _committed()
    assert "Fn::ImportValue" in json.dumps(templates["lustre"].to_json())
    assert "Fn::ImportValue" not in json.dumps(templates["foundation"].to_json())
    assert not [name for name, each in templates["lustre"].find_outputs("*").items() if "Export" in each]


NAMED_ZONES = NetworkSettings(cidr="10.0.0.0/16", availability_zones=("us-east-1a", "us-east-1b"))
BIRDS = DataLocationSettings(bucket="birds-bucket", prefix="sets/")


@pytest.mark.parametrize("network", [None, NAMED_ZONES], ids=["zone ids", "zone names"])
def test_exports_do_not_depend_on_what_lustre_imports(network: NetworkSettings | None) -> None:
    """Another zone, type or link takes no export away that the deployed Lustre stack still imports."""
    prod = replace(_settings("prod"), data_locations=(BIRDS,))
    prod = prod if network is None else replace(prod, network=network)
    zones = prod.network.availability_zone_ids or prod.network.availability_zones or ()
    elsewhere = (LinkSettings(name="birds", path="/birds", prefix="sets/", bucket="birds-bucket"),)
    scratch = LustreSettings(storage_capacity_gib=1200)
    choices = [
        prod.lustre,
        scratch,
        replace(scratch, links=elsewhere),
        *(replace(scratch, zone=zone) for zone in zones),
    ]
    exports = []
    for lustre in choices:
        outputs = _templates(replace(prod, lustre=lustre), "prod")["foundation"].find_outputs("*")
        exports.append({key: value for key, value in outputs.items() if "Export" in value})
    assert len(exports[0]) >= len(zones)
    assert all(each == exports[0] for each in exports)


def test_data_outlives_its_stack_and_scratch_does_not() -> None:
    """Buckets, their policies and EFS are retained on destroy; the Lustre file system is deleted."""
    templates = _committed()
    kept = {
        resource["Type"]
        for resource in templates["foundation"].to_json()["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert kept == {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EFS::FileSystem"}
    templates["lustre"].has_resource("AWS::FSx::FileSystem", {"DeletionPolicy": "Delete"})


def test_new_key_is_retained_with_the_data_that_it_encrypts() -> None:
    """prod's key stays with the bucket, is rotated, and encrypts bucket, EFS and Lustre."""
    foundation, lustre = _committed("prod")["foundation"], _committed("prod")["lustre"]
    foundation.has_resource("AWS::KMS::Key", {"DeletionPolicy": "Retain", "Properties": {"EnableKeyRotation": True}})
    arn = {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]}
    foundation.has_resource_properties("AWS::EFS::FileSystem", {"KmsKeyId": arn})
    foundation.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
                ]
            }
        },
    )
    lustre.has_resource_properties(
        "AWS::FSx::FileSystem",
        {"KmsKeyId": Match.any_value(), "LustreConfiguration": {"DeploymentType": "PERSISTENT_2"}},
    )


def test_kept_bucket_and_file_system_are_adopted() -> None:
    """The next deployment takes up what was kept: no new bucket, no new EFS, and the record names the old ones."""
    settings = replace(
        _settings(), bucket=BucketSettings(adopt="kept-bucket"), efs=EfsSettings(adopt="fs-0123456789abcdef0")
    )
    templates = _templates(settings)
    foundation = templates["foundation"]
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EFS::FileSystem"):
        assert not foundation.find_resources(kind)
    foundation.all_resources_properties("AWS::EFS::MountTarget", {"FileSystemId": "fs-0123456789abcdef0"})
    record = _record(templates).foundation
    assert record.bucket == "kept-bucket"
    assert record.efs is not None
    assert record.efs.file_system_id == "fs-0123456789abcdef0"


def test_record_tells_jobs_what_there_is() -> None:
    """Zones by id, the own data first, the roles of all reaches, and the Lustre with its link."""
    record = _record(_committed())
    assert [subnet.az_id for subnet in record.foundation.subnets] == ["use1-az1", "use1-az2"]
    assert record.foundation.data_locations[0].prefix == "data/"
    assert record.foundation.job_name_prefix == "dev-"
    assert record.foundation.roles.both is not None
    assert record.lustre is not None
    assert [(link.path, link.prefix) for link in record.lustre.links] == [("/data", "data/")]
    assert record.foundation.efs is not None
    assert record.lustre.az_id in record.foundation.efs.az_ids


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_records_fit_in_a_standard_parameter(environment: str) -> None:
    """The text without the values of the deployment leaves half of the 4 KB for them."""
    for template in _committed(environment).values():
        for parameter in template.find_resources("AWS::SSM::Parameter").values():
            assert parameter["Properties"].get("Tier", "Standard") == "Standard"
            literal = "".join(p for p in parameter["Properties"]["Value"]["Fn::Join"][1] if isinstance(p, str))
            assert len(literal) < MAX_PARAMETER_BYTES / 2


@pytest.mark.parametrize("road", ["efs", "lustre"])
def test_road_that_is_switched_off_leaves_nothing(road: str) -> None:
    """Neither resources nor groups nor a record of it; the other file-system road keeps the roles."""
    off: Any = {"efs": EfsSettings(enabled=False), "lustre": LustreSettings(enabled=False)}[road]
    templates = _templates(replace(_settings(), **{road: off}))
    record = _record(templates)
    kind = {"efs": "AWS::EFS::", "lustre": "AWS::FSx::"}[road]
    resources = [each for template in templates.values() for each in template.to_json()["Resources"].values()]
    assert not [each["Type"] for each in resources if each["Type"].startswith(kind)]
    assert (record.foundation.efs if road == "efs" else record.lustre) is None
    assert record.foundation.roles.file_systems is not None


WAREHOUSE = IngestionSettings(
    statements=(
        IngestionStatementSettings(
            actions=("redshift-data:ExecuteStatement",),
            resources=("arn:aws:redshift:us-east-1:123456789012:cluster:warehouse",),
            conditions={"StringEquals": {"aws:ResourceAccount": ("123456789012",)}},
        ),
    )
)


def test_roles_of_own_ingestion_are_in_the_record() -> None:
    """Jobs find them by the name in the settings; off by default, and without a file system there is one, too."""
    assert _record(_committed()).foundation.ingestion_roles == {}
    off: dict[str, Any] = {
        "efs": EfsSettings(enabled=False),
        "lustre": LustreSettings(enabled=False),
        "ephemeral": EphemeralSettings(enabled=False),
    }
    templates = _templates(replace(_settings(), own_ingestion={"warehouse": WAREHOUSE}, **off))
    foundation = _record(templates).foundation
    assert set(foundation.ingestion_roles) == {"warehouse"}
    (parameter,) = templates["foundation"].find_resources("AWS::SSM::Parameter").values()
    pieces = parameter["Properties"]["Value"]["Fn::Join"][1]
    (role,) = (pieces[index + 1] for index, each in enumerate(pieces) if str(each).endswith('"warehouse":"'))
    assert role["Fn::GetAtt"][0].startswith("TrainingRolesIngestionwarehouse")


def test_largest_platform_fits_in_the_record() -> None:
    """Sixteen existing subnets with mount targets, five roles of own ingestion, long names: still within 4 KB."""
    zones = [f"apse2-az{1 + number % 3}" for number in range(16)]
    subnets = tuple(SubnetSettings(subnet_id=f"subnet-{n:017x}", az_id=zone) for n, zone in enumerate(zones))
    network = ExistingNetworkSettings(
        vpc_id="vpc-0123456789abcdef0", subnets=subnets, route_table_ids=("rtb-0123456789abcdef0",)
    )
    settings = replace(
        _settings("prod"),
        region="ap-southeast-2",
        platform="a" * 30,
        network=NetworkSettings(existing=network),
        efs=EfsSettings(zones=tuple(each.subnet_id for each in subnets[:3])),
        iam=IamSettings(path=f"/{'p' * 60}/"),
        own_ingestion={f"warehouse-{number}": WAREHOUSE for number in range(5)},
        data_locations=tuple(DataLocationSettings(bucket=f"birds-bucket-{n}", prefix="sets/") for n in range(5)),
    )
    foundation = _templates(settings, "prod")["foundation"]
    (parameter,) = foundation.find_resources("AWS::SSM::Parameter").values()
    assert largest_bytes(parameter["Properties"]["Value"]) <= MAX_PARAMETER_BYTES


def test_prod_has_room_for_a_role_of_own_ingestion() -> None:
    """The larger of the committed environments takes one without a bucket for its template."""
    foundation = _templates(replace(_settings("prod"), own_ingestion={"warehouse": WAREHOUSE}), "prod")["foundation"]
    assert len(_as_sent(foundation)) < CLI_LIMIT_BYTES


def test_without_file_systems_there_is_one_role() -> None:
    """S3 is always there, and its role is then the only one."""
    settings = replace(
        _settings(),
        efs=EfsSettings(enabled=False),
        lustre=LustreSettings(enabled=False),
        ephemeral=EphemeralSettings(enabled=False),
    )
    roles = _record(_templates(settings)).foundation.roles
    assert (roles.file_systems, roles.both) == (None, None)


def test_declared_data_location_can_be_read_and_linked() -> None:
    """An existing bucket is granted like data/, is in the record, and a link may show it."""
    birds = DataLocationSettings(bucket="birds-bucket", prefix="sets/")
    link = LinkSettings(name="birds", path="/birds", prefix="sets/birds/", bucket="birds-bucket")
    lustre = LustreSettings(storage_capacity_gib=1200, links=(link,))
    templates = _templates(replace(_settings(), data_locations=(birds,), lustre=lustre))
    record = _record(templates)
    assert [each.bucket for each in record.foundation.data_locations][1:] == ["birds-bucket"]
    templates["lustre"].has_resource_properties(
        "AWS::FSx::DataRepositoryAssociation", {"DataRepositoryPath": "s3://birds-bucket/sets/birds/"}
    )
    read = {"Sid": "ReadTheData", "Resource": Match.array_with(["arn:aws:s3:::birds-bucket/sets/*"])}
    templates["foundation"].has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(read)])}},
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_that_costs_is_tagged(environment: str) -> None:
    """Platform and part are on file systems, buckets and endpoints, for cost allocation."""
    for part, template in _committed(environment).items():
        expected = [{"Key": "headrace:part", "Value": part}, {"Key": "headrace:platform", "Value": environment}]
        for kind, key in (
            ("AWS::S3::Bucket", "Tags"),
            ("AWS::FSx::FileSystem", "Tags"),
            ("AWS::EFS::FileSystem", "FileSystemTags"),
            ("AWS::EC2::VPCEndpoint", "Tags"),
        ):
            for resource in template.find_resources(kind).values():
                assert [tag for tag in resource["Properties"][key] if tag["Key"].startswith("headrace:")] == expected


def test_every_role_and_policy_is_named_and_bounded_as_the_account_asks() -> None:
    """Where roles without the boundary are forbidden, one of them is enough to fail the deployment."""
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    iam = IamSettings(name_prefix="ml-", path="/ml/", permissions_boundary_arn=boundary)
    named = Match.string_like_regexp("^ml-prod-us-east-1-")
    template = _templates(replace(_settings("prod"), iam=iam), "prod")["foundation"]
    role = {"Path": "/ml/", "PermissionsBoundary": boundary, "RoleName": named}
    template.all_resources_properties("AWS::IAM::Role", role)
    template.all_resources_properties("AWS::IAM::ManagedPolicy", {"Path": "/ml/", "ManagedPolicyName": named})


def test_stack_names_say_environment_and_part() -> None:
    """The names are a contract: the documentation and the CLI use them."""
    stacks = compose(App(context=_context()), Target(environment="dev"), _settings())
    parts = [stack.stack_name.removeprefix("headrace-dev-") for stack in stacks]
    assert parts == ["foundation", "lustre", "cleanup", "ephemeral"]


def test_parts_are_named_as_the_job_side_reads_them() -> None:
    """The parameters' names are those of the contract."""
    names = {
        each["Properties"]["Name"]
        for template in _committed().values()
        for each in template.find_resources("AWS::SSM::Parameter").values()
    }
    assert names == {f"/headrace/dev/{part}" for part in (FoundationPart.part, LustrePart.part, EphemeralPart.part)}


@pytest.mark.parametrize("require_vpc", [True, False])
def test_the_record_tells_jobs_whether_they_must_join_the_network(require_vpc: bool) -> None:
    """What the user policy demands, the job side does."""
    settings = settings_of({"dev": {**_DEV, "iam": {"require_vpc": require_vpc}}}, "dev")
    foundation = compose(App(), Target(environment="dev"), settings)[0]
    (parameter,) = Template.from_stack(foundation).find_resources("AWS::SSM::Parameter").values()
    assert f'\\"require_vpc\\":{str(require_vpc).lower()}' in json.dumps(parameter)


_DEV = {"region": "us-east-1", "network": {"cidr": "10.64.0.0/20", "availability_zone_ids": ["use1-az1"]}}
