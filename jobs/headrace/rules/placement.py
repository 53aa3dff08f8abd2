"""Rules of where a job runs: the zones from which all its channels can be reached.

A pin is a channel that can be reached from some zones only. The rules hold before there is an account;
:mod:`headrace.rules.live_network` looks at the network itself.
Sources: Amazon SageMaker API Reference, VpcConfig and FileSystemDataSource; FSx for Lustre User Guide, "Accessing file
systems"; Amazon EFS User Guide, "Managing mount targets".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.values import finding, finding_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSpec:
    """A channel that can be reached from these zones only, and the road that makes it so."""

    channel: str
    by: str
    az_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesSpec:
    """The zones in play. ``wanted_az_ids``: those that the job names itself; none means any.

    ``retry_az_ids``: those to be tried one by one.
    """

    platform_az_ids: tuple[str, ...]
    pins: tuple[PinSpec, ...] = ()
    wanted_az_ids: tuple[str, ...] = ()
    retry_az_ids: tuple[str, ...] = ()

    @property
    def open_az_ids(self) -> frozenset[str]:
        """The platform's zones, or those of them that the job wants."""
        zones = frozenset(self.platform_az_ids)
        return zones & frozenset(self.wanted_az_ids) if self.wanted_az_ids else zones

    @property
    def possible_az_ids(self) -> frozenset[str]:
        """The platform's zones from which every channel can be reached, whether the job wants them or not."""
        return reduce(frozenset.intersection, (pin.az_ids for pin in self.pins), frozenset(self.platform_az_ids))

    @property
    def common_az_ids(self) -> frozenset[str]:
        """The zones from which every channel can be reached."""
        return self.possible_az_ids & self.open_az_ids


@rule("V123")
def wanted_zones_are_there(spec: ZonesSpec) -> Iterator[Finding]:
    """The zones that a job names are zones of the platform."""
    for az_id in spec.wanted_az_ids:
        if az_id not in spec.platform_az_ids:
            allowed = f"the platform's zones: {', '.join(spec.platform_az_ids)}"
            yield finding("V123", "availability_zone_ids", az_id, allowed, "name one of them, or none")


@rule("V35")
def channels_meet_in_a_zone(spec: ZonesSpec) -> Iterator[Finding]:
    """There is a zone from which all channels can be reached: a job runs in one, and file systems do not move."""
    if spec.common_az_ids or not spec.open_az_ids:
        return
    left = spec.open_az_ids
    for pin in spec.pins:
        if not left & pin.az_ids:
            others = [other.channel for other in spec.pins if other is not pin]
            allowed = (
                f"a zone from which all else can be reached, too: {', '.join(sorted(left))}"
                f"{f' (channels {_listed(others)})' if others else ''}"
            )
            given = f"pinned to {', '.join(sorted(pin.az_ids)) or 'no zone'} by {pin.by}"
            fix = "read one of them by another road (s3), or give the platform a subnet and a mount target there"
            if spec.wanted_az_ids and (elsewhere := spec.possible_az_ids):
                fix = f"name {' or '.join(sorted(elsewhere))}; or no availability_zone_ids, nor those of capacity_retry"
            yield finding_in_words("V35", f"channels.{pin.channel}", given, allowed, fix)
            return
        left &= pin.az_ids


@rule("V131")
def zones_to_be_tried_are_possible(spec: ZonesSpec) -> Iterator[Finding]:
    """A zone that is to be tried for capacity is one where the job can run; others are passed over."""
    is_none_left = spec.common_az_ids.isdisjoint(spec.retry_az_ids)
    outcome = "none is left, so no zone is tried by itself" if is_none_left else "this one is passed over"
    for az_id in spec.retry_az_ids if spec.common_az_ids else ():
        if az_id not in spec.common_az_ids:
            allowed = f"zones where the job can run: {', '.join(sorted(spec.common_az_ids))}; {outcome}"
            fix = "leave it out"
            yield finding("V131", "capacity_retry.availability_zone_ids", az_id, allowed, fix, Level.INFO)


def _listed(names: list[str]) -> str:
    return ", ".join(names)


ZONES_RULES: tuple[Rule[Any], ...] = (
    wanted_zones_are_there,
    channels_meet_in_a_zone,
    zones_to_be_tried_are_possible,
)
"""Rules of one :class:`ZonesSpec`."""
