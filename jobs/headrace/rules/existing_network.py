"""Rules of an existing network: it is given whole, by ids, and without settings of a new one.

headrace looks nothing up at synth time, so what it must know of an existing subnet has to be written down: its id,
the id of its zone, and the route tables on which the S3 gateway endpoint has to stand.
Rule of our own: V78.

Source: Amazon EC2 API Reference, resource ids of 8 or 17 hexadecimal digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headrace.rules.finding import UNKNOWN, Finding, Rule, rule
from headrace.rules.network_spec import NetworkSpec, subnets
from headrace.rules.places import ZONE_ID
from headrace.rules.values import finding, members

_ID_DIGITS: Final = re.compile(r"([0-9a-f]{8}|[0-9a-f]{17})")


def is_existing(spec: NetworkSpec) -> bool:
    """Whether anything is said of an existing network."""
    return any(
        each is not None for each in (spec.existing_vpc_id, spec.existing_subnets, spec.existing_route_table_ids)
    )


@rule(
    "V11",
    "existing_vpc_id",
    "existing_subnets",
    "existing_route_table_ids",
    "existing_security_group_ids",
)
def ids_are_legal(spec: NetworkSpec) -> Iterator[Finding]:
    """Ids begin with their kind and have 8 or 17 hexadecimal digits."""
    given: list[tuple[str, str, object]] = []
    if spec.existing_vpc_id is not None:
        given.append(("existing_vpc_id", "vpc-", spec.existing_vpc_id))
    given += [("existing_subnets", "subnet-", subnet_id) for subnet_id, _ in subnets(spec)]
    given += [("existing_route_table_ids", "rtb-", each) for each in members(spec.existing_route_table_ids) or ()]
    given += [("existing_security_group_ids", "sg-", each) for each in members(spec.existing_security_group_ids) or ()]
    for field, kind, value in given:
        if value is not UNKNOWN and not _is_id(value, kind):
            allowed = f"{kind} and 8 or 17 digits of 0-9 a-f"
            yield finding("V11", field, value, allowed, "look it up in the VPC console")


@rule(
    "V29",
    "existing_vpc_id",
    "existing_subnets",
    "existing_route_table_ids",
    "cidr",
    "availability_zones",
    "availability_zone_ids",
)
def existing_takes_no_new_settings(spec: NetworkSpec) -> Iterator[Finding]:
    """Settings of a new VPC are not given beside an existing one."""
    if not is_existing(spec):
        return
    given = {
        "cidr": spec.cidr,
        "availability_zones": spec.availability_zones,
        "availability_zone_ids": spec.availability_zone_ids,
    }
    for field, value in given.items():
        if value is not None:
            allowed = "nothing beside an existing network, which has its own"
            yield finding("V29", field, value, allowed, "leave it out, or leave the existing network out")


@rule(
    "V78",
    "existing_vpc_id",
    "existing_subnets",
    "existing_route_table_ids",
    "existing_security_group_ids",
)
def existing_is_complete(spec: NetworkSpec) -> Iterator[Finding]:
    """An existing network is its VPC, its subnets each once and with the id of its zone, and its route tables."""
    groups = spec.existing_security_group_ids
    if groups is not None and members(groups) is None:
        yield finding("V78", "existing_security_group_ids", groups, "a list of ids", "write it as a list")
    if not is_existing(spec):
        return
    if spec.existing_vpc_id is None:
        yield finding("V78", "existing_vpc_id", None, "the VPC of the subnets", "give its id, vpc-...")
    if not members(spec.existing_subnets):
        allowed = "at least one subnet with the id of its zone"
        yield finding("V78", "existing_subnets", spec.existing_subnets, allowed, "give subnet and zone id")
    if not members(spec.existing_route_table_ids):
        field, value = "existing_route_table_ids", spec.existing_route_table_ids
        allowed = "every route table of the subnets: without the S3 endpoint on it a job cannot save its result"
        yield finding("V78", field, value, allowed, "give their ids, rtb-...")
    seen: list[object] = []
    for subnet_id, az_id in subnets(spec):
        if az_id is not UNKNOWN and not (isinstance(az_id, str) and ZONE_ID.fullmatch(az_id)):
            got, allowed = f"{subnet_id} in {az_id}", "a subnet with its zone's id, such as use1-az1"
            yield finding("V78", "existing_subnets", got, allowed, "aws ec2 describe-subnets tells it")
        if subnet_id is not UNKNOWN and subnet_id in seen:
            yield finding("V78", "existing_subnets", subnet_id, "each subnet once", "leave the second one out")
        seen.append(subnet_id)


def _is_id(value: object, kind: str) -> bool:
    if not isinstance(value, str) or not value.startswith(kind):
        return False
    return _ID_DIGITS.fullmatch(value.removeprefix(kind)) is not None


EXISTING_NETWORK_RULES: tuple[Rule[Any], ...] = (
    ids_are_legal,
    existing_takes_no_new_settings,
    existing_is_complete,
)
"""Rules of a :class:`NetworkSpec` that say something of an existing network."""
