"""What somebody asks of a network, as one record that several groups of rules read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headrace.rules.finding import Unknown
from headrace.rules.values import Text, WholeNumber, members


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A network as asked for, new or existing; None: not given.

    New: ``cidr`` and either ``availability_zones`` (names) or ``availability_zone_ids``. Existing:
    ``existing_vpc_id``, ``existing_subnets`` as (subnet id, AZ id) and ``existing_route_table_ids``.
    ``job_instances_per_zone``: how many instances train in one subnet at the same time; not given, it is 1.
    """

    region: Text = None
    cidr: Text = None
    availability_zones: tuple[Text, ...] | Unknown | None = None
    availability_zone_ids: tuple[Text, ...] | Unknown | None = None
    existing_vpc_id: Text = None
    existing_subnets: tuple[tuple[Text, Text], ...] | Unknown | None = None
    existing_route_table_ids: tuple[Text, ...] | Unknown | None = None
    existing_security_group_ids: tuple[Text, ...] | Unknown | None = None
    interface_endpoints: tuple[Text, ...] | Unknown | None = None
    job_instances_per_zone: WholeNumber = None


def subnets(spec: NetworkSpec) -> Iterator[tuple[object, object]]:
    """(subnet id, AZ id) of each existing subnet; (the value, None) for what is no such pair."""
    for each in members(spec.existing_subnets) or ():
        pair = members(each) or ()
        yield (pair[0], pair[1]) if len(pair) == 2 else (each, None)


def zones(spec: NetworkSpec) -> Iterator[tuple[str, object]]:
    """(field, zone) of every zone that is named anywhere, by name or id."""
    yield from (("availability_zones", each) for each in members(spec.availability_zones) or ())
    yield from (("availability_zone_ids", each) for each in members(spec.availability_zone_ids) or ())
    yield from (("existing_subnets", az_id) for _, az_id in subnets(spec))
