"""The file systems that a job mounts, as FSx, EFS and EC2 describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from headrace.aws import Aws
from headrace.aws.file_systems import LustreDescription
from headrace.channels import Channel
from headrace.future_lustre import is_to_come
from headrace.planning import LaunchPlan
from headrace.platform import LustrePart
from headrace.preflight.looking import Looking
from headrace.roads import EFS, LUSTRE
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.network_facts import FileSystemSpec, Interface, LinkFacts
from headrace.sources import EfsSource, LustreSource


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mounted:
    """A file system as far as it is known before its interfaces are: their ids, each with its zone."""

    spec: FileSystemSpec
    interfaces: Mapping[str, str]


def look_at_file_systems(launch: LaunchPlan, aws: Aws, looking: Looking) -> list[FileSystemSpec]:
    """The file systems that channels read; one that may not be looked at is left out. Raises AwsError."""
    mounted = [each for each in (_lustre(launch, aws, looking), _efs(launch, aws, looking)) if each is not None]
    wanted = [interface for each in mounted for interface in each.interfaces]
    found = looking.up("security groups", lambda: aws.network.interfaces(wanted)) if wanted else {}
    if isinstance(found, Unknown):
        return [replace(each.spec, interfaces=UNKNOWN) for each in mounted]
    return [
        replace(
            each.spec,
            interfaces=tuple(
                Interface(
                    az_id=az_id,
                    subnet_id=found[name].subnet_id,
                    groups=found[name].groups,
                    network=IPv4Network(found[name].address),
                )
                for name, az_id in each.interfaces.items()
                if name in found
            ),
        )
        for each in mounted
    ]


def _lustre(launch: LaunchPlan, aws: Aws, looking: Looking) -> _Mounted | None:
    channels = [each for each in launch.job.channels if isinstance(each.source, LustreSource)]
    part = launch.platform.lustre
    # of one that is made later there is nothing to look at
    if not channels or part is None or is_to_come(part):
        return None
    described = looking.up(part.file_system_id, lambda: aws.file_systems.lustre(part.file_system_id))
    if isinstance(described, Unknown):
        return None
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
        return _Mounted(spec=spec, interfaces={})
    live = looking.up(f"links of {part.file_system_id}", lambda: aws.file_systems.links(part.file_system_id))
    links = UNKNOWN if isinstance(live, Unknown) else _links(channels, launch, live)
    known = replace(_described(spec, part, described), links=links)
    return _Mounted(spec=known, interfaces=dict.fromkeys(described.interface_ids, part.az_id))


def _described(spec: FileSystemSpec, part: LustrePart, described: LustreDescription) -> FileSystemSpec:
    return replace(
        spec,
        lifecycle=described.lifecycle,
        vpc_id=described.vpc_id,
        mount_name=described.mount_name,
        usable_az_ids=frozenset({part.az_id}) if part.subnet_id in described.subnet_ids else frozenset(),
    )


def _links(channels: list[Channel], launch: LaunchPlan, live: Mapping[tuple[str, str], str]) -> tuple[LinkFacts, ...]:
    facts = []
    for channel in channels:
        assert isinstance(channel.source, LustreSource)
        link = channel.source.link_on(launch.platform)
        uri = f"s3://{link.bucket}/{link.prefix}".rstrip("/")
        path, below = link.path.rstrip("/"), channel.source.path.strip("/")
        folder = f"/{below}" if below else ""
        facts.append(
            LinkFacts(
                field=f"channels.{channel.name}.lustre",
                path=f"{path}{folder}" or "/",
                uri=f"{uri}{folder}",
                lifecycle=_lifecycle(path, uri, below, live),
                shown_below=tuple(sorted(each for each, _ in live if each.startswith(f"{path}/"))),
            )
        )
    return tuple(facts)


def _lifecycle(path: str, uri: str, below: str, live: Mapping[tuple[str, str], str]) -> str | None:
    """Of the association that shows the folder ``below`` the link: an ephemeral file system has it for that alone."""
    steps = below.split("/") if below else []
    for depth in range(len(steps) + 1):
        part = "".join(f"/{step}" for step in steps[:depth])
        if (lifecycle := live.get((f"{path}{part}", f"{uri}{part}"))) is not None:
            return lifecycle
    return None


def _efs(launch: LaunchPlan, aws: Aws, looking: Looking) -> _Mounted | None:
    channels = [each for each in launch.job.channels if isinstance(each.source, EfsSource)]
    efs = launch.foundation.efs
    if not channels or efs is None:
        return None
    name = efs.file_system_id
    state = looking.up(name, lambda: aws.file_systems.efs_state(name))
    targets = [] if state is None else looking.up(name, lambda: aws.file_systems.mount_targets(name))
    if isinstance(state, Unknown) or isinstance(targets, Unknown):
        return None
    spec = FileSystemSpec(
        field=f"channels.{channels[0].name}.efs",
        file_system_id=name,
        road=EFS.name,
        ports=EFS.ports,
        answers=EFS.answers,
        exists=state is not None,
        lifecycle=state or "",
        vpc_id=targets[0].vpc_id if targets else None,
        usable_az_ids=frozenset(each.az_id for each in targets if each.state == "available"),
        policy=looking.up(f"the policy of {name}", lambda: aws.file_systems.efs_policy(name)) if state else None,
    )
    return _Mounted(spec=spec, interfaces={each.interface_id: each.az_id for each in targets})
