"""Rules of the network as it is: can a job in these subnets get an address, reach S3, and mount its file systems.

They hold what the account answered against what the job needs. The ports between them are judged in
:mod:`headrace.rules.ports`, EFS's policy in :mod:`headrace.rules.efs_policy`.
Sources: Amazon SageMaker Developer Guide, "Give SageMaker AI Training Jobs Access to Resources in Your Amazon VPC";
Amazon EC2 API Reference, DescribeInstanceTypeOfferings (EC2's own types, from which ml.* is inferred); FSx for Lustre
User Guide and Amazon EFS User Guide, mounting by DNS name; Amazon VPC User Guide, "DNS attributes for your VPC" (DNS
hostnames need DNS support, so that one attribute is asked for).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from headrace.rules.efs_policy import EFS_POLICY_RULES
from headrace.rules.finding import Finding, Level, Rule, Unknown, rule
from headrace.rules.network_facts import NetworkSpec
from headrace.rules.ports import PORT_RULES
from headrace.rules.values import finding, finding_in_words

ADDRESSES_PER_INSTANCE: Final = 2
"""A training instance takes up to two interfaces in the subnet (rules of AWS ParallelCluster and SageMaker's quota)."""


@rule("V128")
def network_is_there(spec: NetworkSpec) -> Iterator[Finding]:
    """The subnets and the job's security group still exist, and lie in the platform's VPC."""
    known = {each.subnet_id: each.vpc_id for each in spec.subnets}
    for subnet_id in spec.requested_subnet_ids:
        if known.get(subnet_id) != spec.vpc_id:
            allowed = f"a subnet of {spec.vpc_id} that exists"
            yield finding("V128", "VpcConfig.Subnets", subnet_id, allowed, "deploy the platform again")
    if isinstance(spec.groups, Unknown):
        return
    if (spec.job_group_id, spec.vpc_id) not in ((each.group_id, each.vpc_id) for each in spec.groups):
        allowed = f"a security group of {spec.vpc_id} that exists"
        yield finding("V128", "VpcConfig.SecurityGroupIds", spec.job_group_id, allowed, "deploy the platform again")


@rule("V36")
def subnets_have_addresses(spec: NetworkSpec) -> Iterator[Finding]:
    """There is a subnet with free addresses for all instances of the job."""
    needed = spec.instance_count * ADDRESSES_PER_INSTANCE
    short = [each for each in spec.subnets if each.free_addresses < needed]
    level = Level.ERROR if len(short) == len(spec.subnets) else Level.WARNING
    for each in short:
        allowed = f"at least {needed} free addresses for {spec.instance_count} instance(s)"
        fix = "wait for other jobs to end, or give the platform larger subnets"
        yield finding_in_words("V36", f"subnet {each.subnet_id}", f"{each.free_addresses} free", allowed, fix, level)


@rule("V58")
def subnets_reach_s3(spec: NetworkSpec) -> Iterator[Finding]:
    """Every subnet has a route to S3: else the job trains, and fails when it uploads its model."""
    for each in spec.subnets:
        if each.reaches_s3 is False:
            allowed = "a route to S3, by a gateway endpoint or a NAT device"
            fix = "associate the S3 gateway endpoint with the subnet's route table"
            yield finding_in_words("V58", f"subnet {each.subnet_id}", "without a route to S3", allowed, fix)


@rule("V57", "offered")
def types_are_offered(spec: NetworkSpec) -> Iterator[Finding]:
    """EC2 offers the instance type in the zones; SageMaker does not say where it has which."""
    if isinstance(spec.offered, Unknown):
        return
    zones = sorted({each.az_id for each in spec.subnets})
    for instance_type in dict.fromkeys(spec.instance_types):
        missing = [az for az in zones if (instance_type.removeprefix("ml."), az) not in spec.offered]
        if missing:
            where = "none of the job's zones" if missing == zones else f"not in {', '.join(missing)}"
            allowed = (
                "a type that EC2 offers where the data is; inferred, since SageMaker names no zones: at worst the job "
                "waits without a charge, and fails for want of capacity"
            )
            fix = "another instance_type, or capacity_retry with further ones"
            yield finding("V57", "instance_type", f"{instance_type}: {where}", allowed, fix, Level.WARNING)


@rule("V132")
def file_systems_are_available(spec: NetworkSpec) -> Iterator[Finding]:
    """Every file system that a channel names exists and can be used."""
    for each in spec.file_systems:
        if not each.exists or each.lifecycle.upper() not in ("AVAILABLE", "UPDATING"):
            given = f"{each.file_system_id}, {each.lifecycle if each.exists else 'which does not exist'}"
            allowed = "a file system that is available"
            yield finding("V132", each.field, given, allowed, "wait for it, or deploy its stack again")


@rule("V31")
def file_systems_share_the_vpc(spec: NetworkSpec) -> Iterator[Finding]:
    """A file system lies in the VPC of the job."""
    for each in spec.existing_file_systems:
        if each.vpc_id is not None and each.vpc_id != spec.vpc_id:
            given = f"{each.file_system_id} in {each.vpc_id}"
            yield finding("V31", each.field, given, f"a file system in {spec.vpc_id}", "deploy the platform again")


@rule("V47")
def mount_name_is_the_recorded_one(spec: NetworkSpec) -> Iterator[Finding]:
    """The Lustre's mount name is the one in the platform's record, which the channel's path begins with."""
    for each in spec.existing_file_systems:
        if each.mount_name is not None and each.mount_name != each.recorded_mount_name:
            given = f"/{each.recorded_mount_name} in the platform's record"
            allowed = f"/{each.mount_name}, the mount name of {each.file_system_id}"
            yield finding("V47", each.field, given, allowed, "deploy the stack of the Lustre again")


@rule("V133")
def links_are_in_order(spec: NetworkSpec) -> Iterator[Finding]:
    """A link that a channel reads is there, shows what the record says, and is neither failed nor misconfigured."""
    for each in spec.existing_file_systems:
        for link in () if isinstance(each.links, Unknown) else each.links:
            if link.lifecycle not in ("AVAILABLE", "UPDATING"):
                given = f"{link.path}, {link.lifecycle or f'which does not show {link.uri}'}"
                allowed = "a link of the file system that is AVAILABLE: otherwise directories are empty or reads fail"
                fix = "see DescribeDataRepositoryAssociations for the reason, or deploy the Lustre's stack again"
                if link.lifecycle is None and link.shown_below:
                    # a file system that is held, or made for a job, shows folders and not links
                    fix = f"hold that folder, too; this file system shows {', '.join(link.shown_below)}"
                yield finding_in_words("V133", link.field, given, allowed, fix)


@rule("V45")
def mount_targets_are_where_the_job_is(spec: NetworkSpec) -> Iterator[Finding]:
    """In each zone of the job's subnets the file system can be mounted now."""
    for each in spec.existing_file_systems:
        for subnet in spec.subnets:
            if subnet.az_id not in each.usable_az_ids:
                usable = ", ".join(sorted(each.usable_az_ids)) or "none"
                allowed = f"a zone where {each.file_system_id} can be mounted: {usable}"
                given = f"job in {subnet.az_id} ({subnet.subnet_id})"
                fix = "wait for the mount target, or deploy the platform again"
                yield finding("V45", each.field, given, allowed, fix)


@rule("V37", "has_dns_hostnames")
def names_resolve(spec: NetworkSpec) -> Iterator[Finding]:
    """The VPC of a job that mounts file systems has DNS hostnames, since they are mounted by name."""
    if spec.file_systems and not spec.has_dns_hostnames:
        allowed = "on, since file systems are mounted by name; SageMaker does not say how it does that"
        fix = f"aws ec2 modify-vpc-attribute --vpc-id {spec.vpc_id} --enable-dns-hostnames Value=true"
        yield finding_in_words("V37", f"enableDnsHostnames of {spec.vpc_id}", "off", allowed, fix, Level.WARNING)


NETWORK_RULES: tuple[Rule[Any], ...] = (
    network_is_there,
    subnets_have_addresses,
    subnets_reach_s3,
    types_are_offered,
    file_systems_are_available,
    file_systems_share_the_vpc,
    mount_name_is_the_recorded_one,
    links_are_in_order,
    mount_targets_are_where_the_job_is,
    names_resolve,
    *PORT_RULES,
    *EFS_POLICY_RULES,
)
"""Rules of one :class:`NetworkSpec`."""
