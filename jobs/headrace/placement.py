"""Where a job may run: in the zones from which all its channels can be reached.

A Lustre file system pins a job to its zone, EFS to the zones with a mount target, S3 to none. Zones are compared by
id (``use1-az1``), since a zone's name means another place in another account. The planner is pure: it looks at the
platform's record; :mod:`headrace.rules.live_network` holds what it chose against the live network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from headrace.channels import Channel
from headrace.platform import Platform, Subnet
from headrace.rules.placement import PinSpec, ZonesSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to get instances: of this type (None: the job's own), in this zone (None: wherever the data is)."""

    instance_type: str | None = None
    az_id: str | None = None


def attempts(instance_types: Sequence[str], az_ids: Sequence[str]) -> tuple[Attempt, ...]:
    """The first try, then every listed type in every listed zone: all zones of one type before the next type.

    ``instance_types``: to be tried after the job's own. ``az_ids``: to be tried one by one.
    """
    types: tuple[str | None, ...] = (None, *instance_types)
    zones: tuple[str | None, ...] = tuple(az_ids) or (None,)
    return tuple(Attempt(instance_type=type_, az_id=zone) for type_, zone in product(types, zones))


def zones_spec(
    channels: Iterable[Channel], platform: Platform, wanted_az_ids: Sequence[str] = (), retry_az_ids: Sequence[str] = ()
) -> ZonesSpec:
    """What pins the job where, for the planner and its rules.

    ``wanted_az_ids``: the job's own wish. ``retry_az_ids``: to be tried one by one; without a wish they are one.
    """
    pins = tuple(
        PinSpec(channel=each.name, by=each.source.road.name, az_ids=az_ids)
        for each in channels
        for az_ids in (each.source.az_ids(platform),)
        if az_ids is not None
    )
    return ZonesSpec(
        platform_az_ids=tuple(dict.fromkeys(subnet.az_id for subnet in platform.foundation.subnets)),
        pins=pins,
        wanted_az_ids=tuple(wanted_az_ids or retry_az_ids),
        retry_az_ids=tuple(retry_az_ids),
    )


def subnets_in(zones: ZonesSpec, platform: Platform, az_id: str | None = None) -> tuple[Subnet, ...]:
    """The platform's subnets from which all channels can be reached, in the platform's order; only those of a zone."""
    allowed = zones.common_az_ids if az_id is None else zones.common_az_ids & {az_id}
    return tuple(subnet for subnet in platform.foundation.subnets if subnet.az_id in allowed)
