"""Which Parameters of a self-contained template fit together: CloudFormation checks it before it makes anything.

They say what the rules V3, V39, V40, V74 and V78 of :mod:`headrace.rules` say of the CDK's settings.
Source: AWS CloudFormation User Guide, "Rules"; CloudFormation Template Reference, "Rule functions".
"""

from __future__ import annotations

from aws_cdk import Fn, ICfnRuleConditionExpression, Stack
from headrace.rules.efs import LARGEST_PROVISIONED_MIBPS
from headrace.rules.lustre import PERSISTENT_2, PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB

from stacks.portable.parameters import parameter_is, require


def require_fitting_efs_modes(stack: Stack) -> None:
    """A provisioned throughput is given with that mode, and maxIO does not go with elastic throughput."""
    provisioned = parameter_is("EfsThroughputMode", "provisioned")
    not_chosen = parameter_is("EfsProvisionedMibps", "1")
    require(
        stack,
        "ProvisionedThroughputIsChosen",
        Fn.condition_not(not_chosen),
        f"EfsProvisionedMibps is 1; allowed: 2 to {LARGEST_PROVISIONED_MIBPS} with EfsThroughputMode provisioned",
        when=provisioned,
    )
    require(
        stack,
        "OtherThroughputHasNoValue",
        not_chosen,
        "EfsProvisionedMibps is given; allowed: left at 1, unless EfsThroughputMode is provisioned",
        when=Fn.condition_not(provisioned),
    )
    require(
        stack,
        "MaxIoIsNotElastic",
        Fn.condition_not(parameter_is("EfsThroughputMode", "elastic")),
        "EfsPerformanceMode is maxIO; allowed: generalPurpose with elastic throughput",
        when=parameter_is("EfsPerformanceMode", "maxIO"),
    )


def require_two_zones(stack: Stack) -> None:
    """A mount target of EFS stands once in a zone."""
    require(stack, "ZonesDiffer", _differ("ZoneId"), "ZoneId1 and ZoneId2 are the same; allowed: two zones")


def require_subnets_of_the_vpc(stack: Stack) -> None:
    """Two subnets, both of the VPC."""
    require(stack, "SubnetsDiffer", _differ("SubnetId"), "SubnetId1 and SubnetId2 are the same; allowed: two subnets")
    vpcs_of_subnets = Fn.value_of_all("AWS::EC2::Subnet::Id", "VpcId")
    in_vpc = Fn.condition_each_member_in(vpcs_of_subnets, Fn.ref_all("AWS::EC2::VPC::Id"))
    require(stack, "SubnetsAreInTheVpc", in_vpc, "a subnet is of another VPC; allowed: subnets of VpcId")


def require_fitting_lustre_throughput(stack: Stack) -> None:
    """PERSISTENT_2 needs a throughput for each TiB, and SCRATCH_2 takes none."""
    persistent = parameter_is("DeploymentType", PERSISTENT_2)
    nothing = parameter_is("PerUnitStorageThroughput", "0")
    choices = ", ".join(map(str, PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB))
    require(
        stack,
        "PersistentHasAThroughput",
        Fn.condition_not(nothing),
        f"PerUnitStorageThroughput is 0; allowed: one of {choices} with PERSISTENT_2",
        when=persistent,
    )
    require(
        stack,
        "ScratchTakesNoThroughput",
        nothing,
        "PerUnitStorageThroughput is given; allowed: 0 with SCRATCH_2, which always has 200 MB/s per TiB",
        when=Fn.condition_not(persistent),
    )


def _differ(parameter: str) -> ICfnRuleConditionExpression:
    return Fn.condition_not(Fn.condition_equals(Fn.ref(f"{parameter}1"), Fn.ref(f"{parameter}2")))
