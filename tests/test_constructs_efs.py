"""EFS has the modes that were chosen, a mount target in each zone, and lets SageMaker mount anonymously."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Match, Template
from headrace.errors import InvalidInput
from headrace.rules import RuleViolations
from headrace_cdk.efs import SharedEfs
from headrace_cdk.network import Network

KEPT = "fs-0123456789abcdef0"


def _efs(stack: Stack, *, efs_network: bool = True, zones: int = 2, **props: Any) -> SharedEfs:
    names = ["us-east-1a", "us-east-1b"]
    network = Network(stack, "Network", cidr="10.64.0.0/20", availability_zones=names, efs=efs_network)
    return SharedEfs(stack, "SharedEfs", network=network, subnets=network.subnets[:zones], **props)


def _stack() -> Stack:
    return Stack(App(), "Test", env=Environment(region="us-east-1"))


def _template(**props: Any) -> Template:
    stack = _stack()
    _efs(stack, **props)
    return Template.from_stack(stack)


@cache
def _default() -> Template:
    return _template()


def test_default_is_encrypted_elastic_and_retained() -> None:
    """General purpose, elastic throughput, encrypted; it outlives its stack."""
    _default().has_resource(
        "AWS::EFS::FileSystem",
        {
            "Properties": {
                "PerformanceMode": "generalPurpose",
                "ThroughputMode": "elastic",
                "ProvisionedThroughputInMibps": Match.absent(),
                "Encrypted": True,
                "AvailabilityZoneName": Match.absent(),
                "BackupPolicy": {"Status": "DISABLED"},
                "LifecyclePolicies": Match.absent(),
            },
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
        },
    )


def test_policy_allows_anonymous_mounts_through_mount_targets_only() -> None:
    """SageMaker mounts without IAM and TLS: nothing is denied, and only mount targets are a way in."""
    _default().has_resource_properties(
        "AWS::EFS::FileSystem",
        {
            "FileSystemPolicy": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": [
                            "elasticfilesystem:ClientMount",
                            "elasticfilesystem:ClientRootAccess",
                            "elasticfilesystem:ClientWrite",
                        ],
                        "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
                    }
                ]
            }
        },
    )


def test_each_zone_has_a_mount_target_behind_the_efs_group() -> None:
    """One mount target in each subnet's zone, guarded by the group that lets jobs in."""
    template = _default()
    targets = template.find_resources("AWS::EFS::MountTarget").values()
    assert {each["Properties"]["SubnetId"]["Ref"] for each in targets} == set(
        template.find_resources("AWS::EC2::Subnet")
    )
    for each in targets:
        ((group, attribute),) = (each["Fn::GetAtt"] for each in each["Properties"]["SecurityGroups"])
        assert ("SecurityGroupsEfs" in group, attribute) == (True, "GroupId")


def test_chosen_settings_reach_the_file_system() -> None:
    """Provisioned throughput with its value, lifecycle and backup are as asked for."""
    _template(
        performance_mode="maxIO",
        throughput_mode="provisioned",
        provisioned_throughput_mibps=512,
        lifecycle_days=30,
        backup=True,
    ).has_resource_properties(
        "AWS::EFS::FileSystem",
        {
            "PerformanceMode": "maxIO",
            "ThroughputMode": "provisioned",
            "ProvisionedThroughputInMibps": 512,
            "LifecyclePolicies": [{"TransitionToIA": "AFTER_30_DAYS"}],
            "BackupPolicy": {"Status": "ENABLED"},
        },
    )


def test_one_day_is_written_in_the_singular() -> None:
    """EFS's name for one day has no S at its end."""
    _template(lifecycle_days=1).has_resource_properties(
        "AWS::EFS::FileSystem", {"LifecyclePolicies": [{"TransitionToIA": "AFTER_1_DAY"}]}
    )


def test_one_zone_stands_in_the_zone_of_its_subnet() -> None:
    """A One Zone file system names the zone, and has its one mount target there."""
    template = _template(one_zone=True, zones=1)
    template.has_resource_properties("AWS::EFS::FileSystem", {"AvailabilityZoneName": "us-east-1a"})
    (target,) = template.find_resources("AWS::EFS::MountTarget").values()
    assert "useast1a" in target["Properties"]["SubnetId"]["Ref"]


def test_adopted_file_system_gets_mount_targets_only() -> None:
    """Adoption makes no file system; its mount targets are made anew in this network."""
    stack = _stack()
    efs = _efs(stack, existing_file_system_id=KEPT)
    template = Template.from_stack(stack)
    assert efs.file_system_id == KEPT
    assert not template.find_resources("AWS::EFS::FileSystem")
    template.all_resources_properties("AWS::EFS::MountTarget", {"FileSystemId": KEPT})
    assert len(template.find_resources("AWS::EFS::MountTarget")) == len(efs.subnets)


@pytest.mark.parametrize(
    ("props", "rules"),
    [
        ({"performance_mode": "maxIO"}, {"V39"}),
        ({"throughput_mode": "provisioned"}, {"V40"}),
        ({"one_zone": True}, {"V44"}),
        ({"lifecycle_days": 31, "performance_mode": "fast"}, {"V39", "V86"}),
        ({"existing_file_system_id": KEPT, "backup": True}, {"V43"}),
        ({"existing_file_system_id": "efs-1"}, {"V11"}),
    ],
)
def test_wrong_settings_are_refused_with_their_rules(props: dict[str, Any], rules: set[str]) -> None:
    """Every mistake is reported, together, by the id of its rule."""
    with pytest.raises(RuleViolations) as caught:
        _efs(_stack(), **props)
    assert {finding.rule_id for finding in caught.value.findings} == rules


def test_network_without_efs_group_is_refused() -> None:
    """The error says how to make the network."""
    with pytest.raises(InvalidInput, match=r"Network\(efs=True\)"):
        _efs(_stack(), efs_network=False)
