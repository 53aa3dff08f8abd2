"""Lustre is what was asked for and nothing that leaks: type, version, links, place, and its rules before it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations, Match, Template
from headrace.errors import InvalidInput
from headrace.platform import DataLocation, LustreLink
from headrace.rules import RuleViolations
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.network import Network

BUCKET = "training-data-bucket"
LOCATIONS = [DataLocation(bucket=BUCKET, prefix="data/")]
DATA = S3Link(name="data", path="/data", bucket=BUCKET, prefix="data/")


def _lustre(stack: Stack, *, lustre_network: bool = True, **props: Any) -> Lustre:
    network = Network(
        stack,
        "Network",
        cidr="10.64.0.0/20",
        availability_zone_ids=["use1-az1", "use1-az2"],
        lustre=lustre_network,
    )
    given = {"links": [DATA], "data_locations": LOCATIONS, "storage_capacity_gib": 1200, **props}
    return Lustre(stack, "Lustre", network=network, subnet=network.subnets[1], **given)


def _stack() -> Stack:
    return Stack(App(), "Test", env=Environment(region="us-east-1", account="123456789012"))


def _template(**props: Any) -> Template:
    stack = _stack()
    _lustre(stack, **props)
    return Template.from_stack(stack)


@cache
def _default() -> Template:
    return _template()


def _broken_rules(**props: Any) -> set[str]:
    with pytest.raises(RuleViolations) as caught:
        _lustre(_stack(), **props)
    return {finding.rule_id for finding in caught.value.findings}


def test_default_is_scratch_2_on_lustre_2_15() -> None:
    """Type and version are stated, since FSx's own defaults take no links; it stands in the one subnet."""
    _default().has_resource_properties(
        "AWS::FSx::FileSystem",
        {
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": "2.15",
            "StorageCapacity": 1200,
            "StorageType": "SSD",
            "SubnetIds": [{"Ref": Match.string_like_regexp("use1az2")}],
            "SecurityGroupIds": [{"Fn::GetAtt": [Match.string_like_regexp("SecurityGroupsLustre"), "GroupId"]}],
            "KmsKeyId": Match.absent(),
            "LustreConfiguration": {
                "DeploymentType": "SCRATCH_2",
                "ImportPath": Match.absent(),
                "ExportPath": Match.absent(),
                "AutoImportPolicy": Match.absent(),
            },
        },
    )


def test_file_system_goes_with_its_stack_and_comes_after_its_rules() -> None:
    """It is deleted on destroy, and depends on every rule of its group, both ways."""
    template = _default()
    (file_system,) = template.find_resources("AWS::FSx::FileSystem").values()
    assert file_system["DeletionPolicy"] == "Delete"
    rules = {
        key
        for kind in ("Ingress", "Egress")
        for key in template.find_resources(f"AWS::EC2::SecurityGroup{kind}")
        if "Lustre" in key
    }
    assert rules
    assert rules <= set(file_system["DependsOn"])


def test_it_is_none_of_the_ephemeral_ones_whoever_uses_the_construct() -> None:
    """Without stacks that tag it, too, it has the tag that keeps the flow of ephemeral Lustre from claiming it."""
    _default().has_resource_properties("AWS::FSx::FileSystem", {"Tags": [{"Key": "headrace:part", "Value": "lustre"}]})


def test_link_imports_metadata_and_exports_nothing() -> None:
    """A link reads the names of all objects when it is made; without being told it neither follows nor writes."""
    _default().has_resource_properties(
        "AWS::FSx::DataRepositoryAssociation",
        {
            "FileSystemPath": "/data",
            "DataRepositoryPath": f"s3://{BUCKET}/data/",
            "BatchImportMetaDataOnCreate": True,
            "S3": Match.absent(),
        },
    )


def test_auto_import_is_a_choice() -> None:
    """Chosen events are followed, and still nothing is exported."""
    link = S3Link(name="data", path="/data", bucket=BUCKET, prefix="data/", auto_import_events=("NEW", "CHANGED"))
    _template(links=[link]).has_resource_properties(
        "AWS::FSx::DataRepositoryAssociation",
        {"S3": {"AutoImportPolicy": {"Events": ["NEW", "CHANGED"]}, "AutoExportPolicy": Match.absent()}},
    )


def test_export_is_refused_unless_asked_for_explicitly() -> None:
    """Export events alone are an error; with the explicit switch they reach the association."""
    props = {"name": "data", "path": "/data", "bucket": BUCKET, "prefix": "data/", "auto_export_events": ("NEW",)}
    assert _broken_rules(links=[S3Link(**props)]) == {"V67"}
    _template(links=[S3Link(**props, export=True)]).has_resource_properties(
        "AWS::FSx::DataRepositoryAssociation", {"S3": {"AutoExportPolicy": {"Events": ["NEW"]}}}
    )


def test_exporting_deletions_is_annotated_as_a_warning() -> None:
    """Whoever exports deletions is told that they delete the S3 objects."""
    stack = _stack()
    link = S3Link(
        name="data", path="/data", bucket=BUCKET, prefix="data/", auto_export_events=("DELETED",), export=True
    )
    _lustre(stack, links=[link])
    Annotations.from_stack(stack).has_warning("/Test/Lustre", Match.string_like_regexp("V68 WARNING"))


@pytest.mark.parametrize(("account", "told"), [("123456789012", False), ("999999999999", True)])
def test_link_to_another_account_says_what_its_owner_must_allow(account: str, told: bool) -> None:
    """A bucket of another account is allowed, with an annotation; of the own account there is none."""
    stack = _stack()
    _lustre(stack, links=[S3Link(name="data", path="/data", bucket=BUCKET, prefix="data/", bucket_account=account)])
    found = Annotations.from_stack(stack).find_info("/Test/Lustre", Match.string_like_regexp("V72"))
    assert bool(found) is told


def test_persistent_2_takes_throughput_compression_and_key() -> None:
    """A long-lived file system has its throughput per TiB, and the given key."""
    stack = _stack()
    arn = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
    _lustre(
        stack,
        deployment_type="PERSISTENT_2",
        per_unit_storage_throughput_mbps_per_tib=250,
        data_compression_type="LZ4",
        kms_key=kms.Key.from_key_arn(stack, "Key", arn),
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::FSx::FileSystem",
        {
            "KmsKeyId": arn,
            "LustreConfiguration": {
                "DeploymentType": "PERSISTENT_2",
                "PerUnitStorageThroughput": 250,
                "DataCompressionType": "LZ4",
            },
        },
    )


@pytest.mark.parametrize("deployment_type", ["SCRATCH_1", "PERSISTENT_1", "PERSISTENT_2_HDD"])
def test_other_deployment_types_are_refused(deployment_type: str) -> None:
    """Nothing but SCRATCH_2 and PERSISTENT_2 is offered, and the error names the rule."""
    assert "V1" in _broken_rules(deployment_type=deployment_type)


def test_capacity_from_data_set_shows_its_arithmetic() -> None:
    """The size of the data gives a legal capacity, and an annotation says how."""
    stack = _stack()
    lustre = _lustre(stack, storage_capacity_gib=None, dataset_gib=3000)
    assert lustre.storage_capacity_gib == 4800
    Template.from_stack(stack).has_resource_properties("AWS::FSx::FileSystem", {"StorageCapacity": 4800})
    Annotations.from_stack(stack).has_info("/Test/Lustre", Match.string_like_regexp(r"3,000 GiB of data / 0\.9 fill"))


def test_mistakes_of_shape_and_links_come_together() -> None:
    """Capacity, compression and two links that overlap are one error with several lines."""
    links = [DATA, S3Link(name="more", path="/data/more", bucket=BUCKET, prefix="data/more/")]
    broken = _broken_rules(storage_capacity_gib=3600, data_compression_type="ZIP", links=links)
    assert broken == {"V2", "V6", "V18"}


def test_link_outside_the_data_locations_is_refused_even_in_a_bucket_without_a_name_yet() -> None:
    """The platform's own bucket is a token at synth time; a link to its output/ is found all the same."""
    stack = _stack()
    bucket = s3.Bucket(stack, "Bucket").bucket_name
    locations = [DataLocation(bucket=bucket, prefix="data/")]
    link = S3Link(name="out", path="/out", bucket=bucket, prefix="output/")
    with pytest.raises(RuleViolations) as caught:
        _lustre(stack, links=[link], data_locations=locations)
    assert {finding.rule_id for finding in caught.value.findings} == {"V69"}


def test_token_skips_the_capacity_check() -> None:
    """A capacity that is a parameter is not judged."""
    stack = _stack()
    capacity = CfnParameter(stack, "Capacity", type="Number").value_as_number
    _lustre(stack, storage_capacity_gib=capacity)
    Template.from_stack(stack).has_resource_properties("AWS::FSx::FileSystem", {"StorageCapacity": {"Ref": "Capacity"}})


def test_network_without_lustre_group_is_refused() -> None:
    """The error says how to make the network."""
    with pytest.raises(InvalidInput, match=r"Network\(lustre=True\)"):
        _lustre(_stack(), lustre_network=False)


@pytest.mark.parametrize(
    ("path", "sub", "expected"),
    [("/data", "", "/data"), ("/data", "images/train", "/data/images/train"), ("/", "", ""), ("/", "a/", "/a")],
)
def test_directory_path_begins_with_the_mount_name(path: str, sub: str, expected: str) -> None:
    """What a job's channel names: mount name, the link's path, the folder below it."""
    stack = _stack()
    link = S3Link(name="data", path=path, bucket=BUCKET, prefix="data/")
    lustre = _lustre(stack, links=[link])
    resolved = stack.resolve(lustre.directory_path(link, sub))
    head, mount_name, *rest = resolved["Fn::Join"][1]
    assert (head, mount_name["Fn::GetAtt"][1], "".join(rest)) == ("/", "LustreMountName", expected)


def test_attributes_say_where_and_what() -> None:
    """The zone is the subnet's, by id, and each link has its record."""
    lustre = _lustre(_stack())
    assert lustre.az_id == "use1-az2"
    assert lustre.links[0].record == LustreLink(name="data", path="/data", bucket=BUCKET, prefix="data/")
