"""The network that a job is attached to, as EC2 describes it: one call for each kind of thing."""

from __future__ import annotations

from dataclasses import replace

from headrace.aws import Aws
from headrace.aws.network import reaches_s3
from headrace.planning import LaunchPlan
from headrace.preflight.file_systems import look_at_file_systems
from headrace.preflight.looking import Looking
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.network_facts import AclFacts, FileSystemSpec, GroupFacts, NetworkSpec, SubnetFacts


def look_at_network(launch: LaunchPlan, aws: Aws, looking: Looking) -> NetworkSpec | None:
    """The facts of the network; None where not even its subnets may be looked at. Raises AwsError."""
    foundation = launch.foundation
    subnets = _subnets(launch, aws, looking)
    if isinstance(subnets, Unknown):
        return None
    file_systems = look_at_file_systems(launch, aws, looking)
    types = _instance_types(launch)
    zones = sorted({each.az_id for each in subnets})
    offered = looking.up(
        "instance_type", lambda: aws.network.offerings([each.removeprefix("ml.") for each in types], zones)
    )
    return NetworkSpec(
        vpc_id=foundation.vpc_id,
        requested_subnet_ids=_requested(launch),
        subnets=tuple(subnets),
        job_group_id=foundation.job_security_group_id,
        groups=_groups(launch, file_systems, aws, looking),
        instance_count=launch.job.total_instances,
        instance_types=types,
        offered=offered,
        acls=_acls(launch, aws, looking) if file_systems else (),
        has_dns_hostnames=_has_dns_hostnames(launch, aws, looking) if file_systems else UNKNOWN,
        file_systems=tuple(file_systems),
    )


def _requested(launch: LaunchPlan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subnet.subnet_id for each in launch.attempts for subnet in each.subnets))


def _instance_types(launch: LaunchPlan) -> tuple[str, ...]:
    types = [each.request["ResourceConfig"].get("InstanceType") for each in launch.attempts]
    types += [each.instance_type for each in launch.job.instance_groups]
    return tuple(dict.fromkeys(each for each in types if each is not None))


def _subnets(launch: LaunchPlan, aws: Aws, looking: Looking) -> list[SubnetFacts] | Unknown:
    vpc_id = launch.foundation.vpc_id
    subnets = looking.up("the network", lambda: aws.network.subnets(_requested(launch)))
    endpoints = looking.up("the route to S3", lambda: aws.network.s3_gateway_endpoint_ids(vpc_id))
    tables = looking.up("the route to S3", lambda: aws.network.route_tables(vpc_id))
    if isinstance(subnets, Unknown) or isinstance(endpoints, Unknown) or isinstance(tables, Unknown):
        return subnets
    return [replace(each, reaches_s3=reaches_s3(each.subnet_id, tables, endpoints)) for each in subnets]


def _groups(
    launch: LaunchPlan, file_systems: list[FileSystemSpec], aws: Aws, looking: Looking
) -> tuple[GroupFacts, ...] | Unknown:
    names = {launch.foundation.job_security_group_id}
    for each in file_systems:
        if not isinstance(each.interfaces, Unknown):
            names.update(group for interface in each.interfaces for group in interface.groups)
    found = looking.up("security groups", lambda: aws.network.security_groups(names))
    return found if isinstance(found, Unknown) else tuple(found)


def _acls(launch: LaunchPlan, aws: Aws, looking: Looking) -> tuple[AclFacts, ...] | Unknown:
    found = looking.up("network ACLs", lambda: aws.network.acls(launch.foundation.vpc_id))
    return found if isinstance(found, Unknown) else tuple(found)


def _has_dns_hostnames(launch: LaunchPlan, aws: Aws, looking: Looking) -> bool | Unknown:
    return looking.up("DNS hostnames", lambda: aws.network.has_dns_hostnames(launch.foundation.vpc_id))
