"""The network that a job is attached to, and the file systems that it mounts, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from headrace.aws import Aws
from headrace.aws.network import reaches_s3
from headrace.channels import Channel
from headrace.planning import LaunchPlan
from headrace.roads import EFS, LUSTRE
from headrace.rules.live_network import FileSystemSpec, LinkFacts, NetworkSpec, Peer, SubnetFacts
from headrace.sources import EfsSource, LustreSource


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mounted:
    """A file system as far as it is known before its interfaces are."""

    spec: FileSystemSpec
    interface_ids: tuple[str, ...]


def look_at_network(launch: LaunchPlan, aws: Aws) -> NetworkSpec:
    """The facts of the network: one call for each kind of thing. Raises AwsError."""
    foundation = launch.foundation
    subnets = _subnets(launch, aws)
    mounted = [*_lustre(launch, aws), *_efs(launch, aws)]
    file_systems = _with_peers(mounted, aws)
    groups = {foundation.job_security_group_id, *(group for each in file_systems for group in each.peer.groups)}
    types = [each.request["ResourceConfig"].get("InstanceType") for each in launch.attempts]
    types += [each.instance_type for each in launch.job.instance_groups]
    named = tuple(dict.fromkeys(each for each in types if each is not None))
    return NetworkSpec(
        vpc_id=foundation.vpc_id,
        requested_subnet_ids=_requested(launch),
        subnets=tuple(subnets),
        job_group_id=foundation.job_security_group_id,
        groups=tuple(aws.network.security_groups(groups)),
        instance_count=sum(each.instance_count for each in launch.job.instance_groups) or launch.job.instance_count,
        instance_types=named,
        offered=aws.network.offerings(
            [each.removeprefix("ml.") for each in named], sorted({each.az_id for each in subnets})
        ),
        file_systems=tuple(file_systems),
    )


def _requested(launch: LaunchPlan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subnet.subnet_id for each in launch.attempts for subnet in each.subnets))


def _subnets(launch: LaunchPlan, aws: Aws) -> list[SubnetFacts]:
    vpc_id = launch.foundation.vpc_id
    endpoints = aws.network.s3_gateway_endpoint_ids(vpc_id)
    tables = aws.network.route_tables(vpc_id)
    return [
        replace(each, reaches_s3=reaches_s3(each.subnet_id, tables, endpoints))
        for each in aws.network.subnets(_requested(launch))
    ]


def _lustre(launch: LaunchPlan, aws: Aws) -> list[_Mounted]:
    channels = [each for each in launch.job.channels if isinstance(each.source, LustreSource)]
    part = launch.platform.lustre
    if not channels or part is None:
        return []
    described = aws.file_systems.lustre(part.file_system_id)
    spec = FileSystemSpec(
        field=f"channels.{channels[0].name}.lustre",
        file_system_id=part.file_system_id,
        road=LUSTRE.name,
        ports=LUSTRE.ports,
        answers=LUSTRE.answers,
        exists=described is not None,
        recorded_mount_name=part.mount_name,
    )
    if described is None:
        return [_Mounted(spec=spec, interface_ids=())]
    known = replace(
        spec,
        lifecycle=described.lifecycle,
        vpc_id=described.vpc_id,
        mount_name=described.mount_name,
        usable_az_ids=frozenset({part.az_id}) if part.subnet_id in described.subnet_ids else frozenset(),
        links=_links(channels, launch, aws.file_systems.links(part.file_system_id)),
    )
    return [_Mounted(spec=known, interface_ids=described.interface_ids)]


def _links(channels: list[Channel], launch: LaunchPlan, live: Mapping[tuple[str, str], str]) -> tuple[LinkFacts, ...]:
    facts = []
    for channel in channels:
        assert isinstance(channel.source, LustreSource)
        link = channel.source.link_on(launch.platform)
        uri = f"s3://{link.bucket}/{link.prefix}".rstrip("/")
        lifecycle = live.get((link.path.rstrip("/"), uri))
        facts.append(LinkFacts(field=f"channels.{channel.name}.lustre", path=link.path, uri=uri, lifecycle=lifecycle))
    return tuple(facts)


def _efs(launch: LaunchPlan, aws: Aws) -> list[_Mounted]:
    channels = [each for each in launch.job.channels if isinstance(each.source, EfsSource)]
    efs = launch.foundation.efs
    if not channels or efs is None:
        return []
    state = aws.file_systems.efs_state(efs.file_system_id)
    targets = [] if state is None else aws.file_systems.mount_targets(efs.file_system_id)
    spec = FileSystemSpec(
        field=f"channels.{channels[0].name}.efs",
        file_system_id=efs.file_system_id,
        road=EFS.name,
        ports=EFS.ports,
        answers=EFS.answers,
        exists=state is not None,
        lifecycle=state or "",
        vpc_id=targets[0].vpc_id if targets else None,
        usable_az_ids=frozenset(each.az_id for each in targets if each.state == "available"),
    )
    return [_Mounted(spec=spec, interface_ids=tuple(each.interface_id for each in targets))]


def _with_peers(mounted: list[_Mounted], aws: Aws) -> list[FileSystemSpec]:
    wanted = [interface for each in mounted for interface in each.interface_ids]
    found = aws.network.interfaces(wanted) if wanted else {}
    return [
        replace(each.spec, peer=_joined([found[one] for one in each.interface_ids if one in found])) for each in mounted
    ]


def _joined(peers: list[Peer]) -> Peer:
    return Peer(
        groups=frozenset(group for each in peers for group in each.groups),
        networks=tuple(network for each in peers for network in each.networks),
    )
