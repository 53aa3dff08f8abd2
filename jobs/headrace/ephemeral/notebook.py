"""A Lustre file system for as long as a ``with`` block lasts: for notebooks, and for several jobs on one data set.

The same machine as for a job holds it, without a job: it is taken down when the block ends, however it ends, and when
its hours are over, whatever has become of the notebook.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headrace import launch
from headrace.aws import Aws
from headrace.channels import Channel, judged, link_spec_of, spec_of
from headrace.ephemeral import flows, starting, teardown
from headrace.ephemeral.associations import Association, association_of, without_overlap
from headrace.ephemeral.flows import Flow
from headrace.ephemeral.living import living
from headrace.ephemeral.machine_input import flow_input, lifetime, ready_seconds
from headrace.ephemeral.sizing import capacity_for
from headrace.ephemeral.stages import Stage, StageSpan
from headrace.ephemeral.survey import survey
from headrace.errors import HeadraceError, InvalidInput
from headrace.execution_history import execution_arn
from headrace.future_lustre import DataCompressionType, EphemeralLustre, hours_problems, with_future_lustre
from headrace.platform import EphemeralPart, LustrePart, Platform, Subnet
from headrace.rules import Finding, Suppression, final, require, run_rules
from headrace.rules.ephemeral import EPHEMERAL_RULES, EphemeralSpec
from headrace.sources import LustreSource

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLustre:
    """A file system that can be read. ``platform``: the platform with this Lustre for its own, to plan and launch on.

    ``name``: of the flow that holds it. ``expires``: when it goes at the latest (UTC).
    """

    name: str
    file_system_id: str
    mount_name: str
    platform: Platform
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hold:
    part: EphemeralPart
    subnet: Subnet
    link_names: frozenset[str]
    given: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.given["JobName"])


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@contextmanager
def lustre(
    links: Mapping[str, str],
    *,
    hours: float,
    storage_capacity_gib: int | None = None,
    data_compression_type: DataCompressionType = DataCompressionType.NONE,
    availability_zone_id: str | None = None,
    base_name: str = "hold",
    platform: str | Platform | None = None,
    region: str | None = None,
    suppressions: Sequence[Suppression] = (),
    told: Told = _to_stderr,
) -> Iterator[HeldLustre]:
    """A file system that shows ``links``: name of a link -> the folder below it that is wanted, all of it if empty.

    ``hours``: from now; it goes then, whatever reads it. ``storage_capacity_gib``: default is what the data fills to
    nine tenths at most. ``told`` hears what goes on. Raises InvalidInput with every mistake at once, and FlowFailed
    when the file system does not become ready; nothing is left behind then.
    """
    if problems := hours_problems("hours", hours):
        raise InvalidInput(*problems)
    aws = Aws(region)
    deployed = launch.read_platform(aws, platform)
    wishes = EphemeralLustre(
        storage_capacity_gib=storage_capacity_gib,
        data_compression_type=data_compression_type,
        availability_zone_id=availability_zone_id,
        lifetime_hours=hours,
    )
    hold = _prepared(deployed, aws, links, wishes, base_name, suppressions, told)
    arn = execution_arn(hold.part.machine_arn, hold.name)
    told(f"making a file system of {hold.given['Lustre']['StorageCapacity']:,} GiB: {hold.name}")
    is_refused = False
    try:
        try:
            starting.start(aws, hold.part.machine_arn, hold.name, hold.given)
        except starting.REFUSALS:
            is_refused = True
            raise
        yield _held(deployed, hold, _ready(aws, arn, told))
    except BaseException as first:
        if not is_refused:
            _end_after(first, aws, hold, arn, told)
        raise
    _end(aws, hold, arn, told)


def _prepared(
    platform: Platform,
    aws: Aws,
    links: Mapping[str, str],
    wishes: EphemeralLustre,
    base_name: str,
    suppressions: Sequence[Suppression],
    told: Told,
) -> _Hold:
    part = flows.require_part(platform)
    subnets = platform.foundation.subnets
    subnet = next((each for each in subnets if each.az_id == wishes.availability_zone_id), subnets[0])
    associations, findings = _associations(with_future_lustre(platform, subnet, part.links), links)
    data = survey(associations, aws, lambda _what, _count: None)
    capacity = capacity_for(data, wishes)
    life = lifetime(
        ready=ready_seconds(data.contents.objects),
        preload=0,
        running=0,
        pending=None,
        capacity_attempts=1,
        given_hours=wishes.lifetime_hours,
        max_hours=part.max_hours,
    )
    name = _name(platform, base_name, datetime.now(UTC))
    spec = EphemeralSpec(
        platform=part.platform,
        job_name=name,
        lustre_channels=(),
        association_count=len(associations),
        capacity_gib=capacity.gib,
        capacity_arithmetic=capacity.arithmetic,
        max_gib=part.max_gib,
        is_capacity_given=wishes.storage_capacity_gib is not None,
        max_hours=part.max_hours,
        max_file_systems=part.max_file_systems,
        living=living(aws, part.platform),
        lifetime=life,
        wanted_az_id=wishes.availability_zone_id,
        platform_az_ids=tuple(dict.fromkeys(each.az_id for each in subnets)),
        is_hold=True,
    )
    found = [*findings, *data.findings, *capacity.findings, *final(run_rules(EPHEMERAL_RULES, spec))]
    for each in require([_by_its_argument(each) for each in found], suppressions):
        told(str(each))
    given = flow_input(
        job_name=name,
        storage_capacity_gib=capacity.gib,
        subnet_id=subnet.subnet_id,
        associations=associations,
        ready_seconds=life.ready_seconds,
        lifetime_seconds=life.seconds,
        data_compression_type=wishes.data_compression_type,
    )
    return _Hold(part=part, subnet=subnet, link_names=frozenset(links), given=given)


def _by_its_argument(each: Finding) -> Finding:
    """The finding with the names that :func:`lustre` has, where a job file has others."""
    name = each.field.removeprefix("ephemeral.")
    field = "hours" if name == "lifetime_hours" else name
    return replace(each, field=field, fix=each.fix.replace("lifetime_hours: ", "hours="))


def _name(platform: Platform, base_name: str, now: datetime) -> str:
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    return f"{platform.foundation.job_name_prefix}{base_name}-{stamp}"


def _associations(platform: Platform, links: Mapping[str, str]) -> tuple[tuple[Association, ...], list[Finding]]:
    wanted: list[Association] = []
    findings: list[Finding] = []
    for name, below in links.items():
        source = LustreSource(link=name, path=below)
        channel = Channel(name=name, source=source)
        found, can_be_made = judged(spec_of(channel), link_spec_of(channel, platform), None)
        findings += [replace(each, field=each.field.replace("channels.", "links.", 1)) for each in found]
        if can_be_made:
            wanted.append(association_of(source.link_on(platform), below, f"links.{name}"))
    return without_overlap(wanted), findings


def _ready(aws: Aws, arn: str, told: Told) -> Flow:
    for event in flows.wait_for(aws, arn, Stage.HOLDING):
        if isinstance(event, StageSpan):
            told(f"{event.started:%H:%M:%S} UTC: {event.stage.value}")
        if isinstance(event, Flow):
            return event
    raise AssertionError("wait_for ends with the flow, or raises")


def _held(platform: Platform, hold: _Hold, flow: Flow) -> HeldLustre:
    lustre_now, expires = flow.lustre, flow.expires
    if lustre_now is None or expires is None:
        raise flows.failure(flow)
    part = LustrePart(
        platform=hold.part.platform,
        file_system_id=lustre_now.file_system_id,
        mount_name=lustre_now.mount_name,
        subnet_id=hold.subnet.subnet_id,
        az_id=hold.subnet.az_id,
        storage_capacity_gib=lustre_now.storage_capacity_gib,
        links=tuple(each for each in hold.part.links if each.name in hold.link_names),
    )
    return HeldLustre(
        name=flow.name,
        file_system_id=part.file_system_id,
        mount_name=part.mount_name,
        platform=replace(platform, lustre=part),
        expires=expires,
    )


def _end_after(first: BaseException, aws: Aws, hold: _Hold, arn: str, told: Told) -> None:
    try:
        _end(aws, hold, arn, told)
    except HeadraceError as second:
        # what went wrong first is the error to be told; with it, that something is left
        first.add_note("\n".join(getattr(second, "__notes__", ())))
        raise first  # noqa: B904  (its context is the second)


def _end(aws: Aws, hold: _Hold, arn: str, told: Told) -> None:
    try:
        _take_down(aws, hold, arn, told)
    except BaseException as error:  # Ctrl-C, too
        platform = hold.part.platform
        line = f"{hold.name} goes on: {str(error) or 'interrupted'}; headrace stop {hold.name} --platform {platform}"
        # whatever hears what goes on: this costs by the hour
        _to_stderr(line)
        error.add_note(line)
        raise


def _take_down(aws: Aws, hold: _Hold, arn: str, told: Told) -> None:
    execution = starting.awaited(aws, arn)
    if execution is None:
        return
    teardown.stop(aws, execution)
    for line in teardown.until_gone(aws, hold.part.teardown_machine_arn, arn):
        told(line)
    told("the file system is gone")
