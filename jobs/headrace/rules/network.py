"""Rules of the network: a new VPC with isolated subnets, or an existing one with its zones.

A training job, a Lustre and an EFS meet in one zone, so zones are what a network is about; an existing subnet's zone
is given by its id, since a name means another place in another account. The rules of addresses, CIDR and existing
ids are in headrace.rules.network_addresses and headrace.rules.existing_network.
Rules of our own: V74 zones, V75 zone names, V76 zone ids, V79 interface endpoints, V88 and V90 Region.

Sources: Amazon SageMaker API Reference, VpcConfig: at most 16 subnets and 5 groups (botocore 1.44.5 service model,
read 2026-11); AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from headrace.rules.existing_network import EXISTING_NETWORK_RULES, is_existing
from headrace.rules.finding import UNKNOWN, Finding, Rule, rule
from headrace.rules.network_addresses import ADDRESS_RULES
from headrace.rules.network_spec import NetworkSpec, zones
from headrace.rules.places import ZONE_ID, ZONE_NAME, is_region, zone_is_in
from headrace.rules.values import finding, members

__all__ = ["INTERFACE_ENDPOINTS", "NETWORK_RULES", "NetworkSpec"]

MAX_SUBNETS: Final = 16
MAX_SECURITY_GROUPS: Final = 5
INTERFACE_ENDPOINTS: Final = {
    "athena": "reading query results by the script itself",
    "dynamodb": "reading tables by the script itself",
    "ecr.api": "pulling images from within the network",
    "ecr.dkr": "pulling images from within the network",
    "elasticfilesystem": "describing EFS file systems",
    "events": "sending events",
    "fsx": "describing FSx file systems",
    "glue": "reading the data catalogue",
    "kinesis-streams": "reading streams by the script itself",
    "kms": "encrypting and decrypting by the script itself",
    "logs": "writing to CloudWatch Logs by the script itself",
    "monitoring": "writing CloudWatch metrics",
    "rds-data": "reading Aurora by the script itself",
    "redshift-data": "reading a warehouse by the script itself",
    "sagemaker.api": "asking SageMaker about the job",
    "sagemaker.runtime": "invoking endpoints",
    "secretsmanager": "reading secrets",
    "ssm": "reading parameters",
    "states": "reporting to Step Functions",
    "sts": "asking who the caller is",
}
"""Short names of AWS services that have an interface endpoint, and what a job's script needs each for."""


@rule(
    "V74",
    "availability_zones",
    "availability_zone_ids",
    "existing_vpc_id",
    "existing_subnets",
    "existing_route_table_ids",
)
def zones_are_given_once(spec: NetworkSpec) -> Iterator[Finding]:
    """A new network names its zones, either by name or by id, each once."""
    names, ids = spec.availability_zones, spec.availability_zone_ids
    field = "availability_zones or availability_zone_ids"
    if names is not None and ids is not None:
        fix = "give the ids, which mean the same places in every account"
        yield finding("V74", field, [names, ids], "one of the two", fix)
    elif not is_existing(spec) and not names and not ids:
        yield finding("V74", field, None, "at least one zone", 'for instance availability_zone_ids ["use1-az1"]')
    for name, value in (("availability_zones", names), ("availability_zone_ids", ids)):
        given = [each for each in members(value) or () if each is not UNKNOWN]
        if any(each in given[:index] for index, each in enumerate(given)):
            yield finding("V74", name, value, "each zone once", "leave the second one out")


@rule("V75", "availability_zones")
def zone_names_are_legal(spec: NetworkSpec) -> Iterator[Finding]:
    """Zone names look like us-east-1a; Local and Wavelength Zones are not offered."""
    given = spec.availability_zones
    if given is not None and members(given) is None:
        yield finding("V75", "availability_zones", given, "a list of zone names", "write it as a list")
    for each in members(given) or ():
        if each is not UNKNOWN and not (isinstance(each, str) and ZONE_NAME.fullmatch(each)):
            allowed = "a zone's name such as us-east-1a; ids go elsewhere, and Local Zones are not offered"
            yield finding("V75", "availability_zones", each, allowed, "give ids as availability_zone_ids")


@rule("V76", "availability_zone_ids")
def zone_ids_are_legal(spec: NetworkSpec) -> Iterator[Finding]:
    """Zone ids look like use1-az1; Local and Wavelength Zones are not offered."""
    given = spec.availability_zone_ids
    if given is not None and members(given) is None:
        yield finding("V76", "availability_zone_ids", given, "a list of zone ids", "write it as a list")
    for each in members(given) or ():
        if each is not UNKNOWN and not (isinstance(each, str) and ZONE_ID.fullmatch(each)):
            allowed = "a zone's id such as use1-az1; names go elsewhere, and Local Zones are not offered"
            yield finding("V76", "availability_zone_ids", each, allowed, "give names as availability_zones")


@rule("V90", "region")
def region_is_offered(spec: NetworkSpec) -> Iterator[Finding]:
    """The Region lies outside China, where services have other names and other policies."""
    if isinstance(spec.region, str) and spec.region.startswith("cn-"):
        allowed = "a Region outside China, where service names end in amazonaws.com.cn, which no policy here names"
        yield finding("V90", "region", spec.region, allowed, "choose another Region; China is not offered yet")


@rule("V88", "region", "availability_zones", "availability_zone_ids", "existing_subnets")
def zones_lie_in_region(spec: NetworkSpec) -> Iterator[Finding]:
    """All zones lie in the Region of the network."""
    region = spec.region
    if region is None:
        return
    if not isinstance(region, str) or not is_region(region):
        yield finding("V88", "region", region, "a Region such as us-east-1", "correct its name")
        return
    for field, zone in zones(spec):
        if isinstance(zone, str) and not zone_is_in(zone, region):
            yield finding("V88", field, zone, f"a zone of {region}", "correct the zone, or the Region")


@rule(
    "V50",
    "availability_zones",
    "availability_zone_ids",
    "existing_subnets",
    "existing_security_group_ids",
)
def counts_fit_a_job(spec: NetworkSpec) -> Iterator[Finding]:
    """A job takes at most 16 subnets and 5 security groups."""
    for field in ("availability_zones", "availability_zone_ids", "existing_subnets"):
        count = len(members(getattr(spec, field)) or ())
        if count > MAX_SUBNETS:
            fix = "leave some out: a job runs in one of them anyway"
            yield finding("V50", field, count, f"at most {MAX_SUBNETS}, one subnet each", fix)
    groups = len(members(spec.existing_security_group_ids) or ())
    if groups > MAX_SECURITY_GROUPS:
        allowed = f"at most {MAX_SECURITY_GROUPS}"
        yield finding("V50", "existing_security_group_ids", groups, allowed, "join their rules in fewer groups")


@rule("V79", "interface_endpoints")
def endpoints_are_known(spec: NetworkSpec) -> Iterator[Finding]:
    """Interface endpoints are named by AWS's short service names, each once."""
    given = spec.interface_endpoints
    if given is not None and members(given) is None:
        yield finding("V79", "interface_endpoints", given, "a list of service names", "write it as a list")
    names = [each for each in members(given) or () if each is not UNKNOWN]
    for index, each in enumerate(names):
        if each in names[:index]:
            yield finding("V79", "interface_endpoints", each, "each service once", "leave the second one out")
        elif not isinstance(each, str) or each not in INTERFACE_ENDPOINTS:
            allowed = ", ".join(INTERFACE_ENDPOINTS)
            fix = "correct the name; S3 has a gateway endpoint, always"
            yield finding("V79", "interface_endpoints", each, allowed, fix)


NETWORK_RULES: tuple[Rule[Any], ...] = (
    *EXISTING_NETWORK_RULES,
    zones_are_given_once,
    zone_names_are_legal,
    zone_ids_are_legal,
    region_is_offered,
    zones_lie_in_region,
    counts_fit_a_job,
    *ADDRESS_RULES,
    endpoints_are_known,
)
"""Rules of one :class:`NetworkSpec`."""
