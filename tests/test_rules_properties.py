"""What holds for every size, every value and every Region, not only for the rows of a table."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from headrace.errors import InvalidInput
from headrace.rules import UNKNOWN, Finding, run_rules
from headrace.rules.data_location import DATA_LOCATION_RULES, DataLocationSpec
from headrace.rules.efs import EFS_RULES, EfsSpec
from headrace.rules.ephemeral_platform import EPHEMERAL_PLATFORM_RULES, EphemeralPlatformSpec
from headrace.rules.idle_alarm import IDLE_ALARM_RULES, IdleAlarmSpec
from headrace.rules.lustre import LUSTRE_RULES, LustreSpec, legal_capacity_gib
from headrace.rules.lustre_link import LINK_RULES, LINKS_RULES, LinkSpec, LinksSpec
from headrace.rules.lustre_sizing import LARGEST_DATASET_GIB, is_legal_capacity
from headrace.rules.network import NETWORK_RULES, NetworkSpec
from headrace.rules.network_addresses import SMALLEST_BLOCK_PREFIX_LENGTH, subnet_prefix_length
from headrace.rules.own_ingestion import (
    INGESTION_ROLE_RULES,
    OWN_INGESTION_RULES,
    IngestionRoleSpec,
    IngestionStatementSpec,
    OwnIngestionSpec,
)
from headrace.rules.places import ZONE_ID, ZONE_NAME, short_region, zone_is_in
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

# no timing decides a test
PATIENT = settings(deadline=None)
SIZES = st.one_of(
    st.integers(min_value=1, max_value=LARGEST_DATASET_GIB),
    st.floats(min_value=0, max_value=LARGEST_DATASET_GIB, exclude_min=True),
)
SPECS: list[Any] = [
    LustreSpec(deployment_type="SCRATCH_2", file_system_type_version="2.15", storage_capacity_gib=1200),
    EfsSpec(az_count=1),
    NetworkSpec(region="us-east-1", cidr="10.0.0.0/20", availability_zones=("us-east-1a",)),
    DataLocationSpec(bucket="acme", prefix="data/", region="us-east-1", account="111122223333"),
    LinkSpec(name="images", file_system_path="/images", bucket="acme", prefix="data/"),
    LinksSpec(data_locations=(DataLocationSpec(bucket="acme", prefix="data/"),)),
    IngestionRoleSpec(role_name="warehouse"),
    OwnIngestionSpec(),
    EphemeralPlatformSpec(max_file_systems=4, max_gib=9600, max_hours=24, link_count=1),
    IdleAlarmSpec(idle_alarm_hours=6),
]
STATEMENT = IngestionStatementSpec(actions=("glue:GetTable",), resources=("*",), reason="why")
FIELDS = [(spec, each.name) for spec in SPECS for each in fields(spec) if each.name != "label"]
# LustreSpec has it too, and V1 checks it there
CHECKED_ELSEWHERE = (SPECS[5], "deployment_type")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(st.characters(exclude_categories=())),
    st.binary(),
    st.just(UNKNOWN),
    st.sampled_from(["SCRATCH_2", "PERSISTENT_2", "NEW", "us-east-1", "10.0.0.0/20", "/", "data/", "maxIO", *SPECS]),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=8,
)
ZONES = [zone for zones in RegionsAndZonesBackend.zones.values() for zone in zones]


def field_name(value: object) -> str:
    """A part of a test's name: the field, or the kind of record."""
    return value if isinstance(value, str) else type(value).__name__


def findings(spec: Any) -> list[Finding]:
    """All that the rules say of a record; of a link, what they say of it among links, too."""
    rules: dict[type, Any] = {
        LustreSpec: LUSTRE_RULES,
        EfsSpec: EFS_RULES,
        NetworkSpec: NETWORK_RULES,
        DataLocationSpec: DATA_LOCATION_RULES,
        LinkSpec: LINK_RULES,
        LinksSpec: LINKS_RULES,
        IngestionRoleSpec: INGESTION_ROLE_RULES,
        OwnIngestionSpec: OWN_INGESTION_RULES,
        EphemeralPlatformSpec: EPHEMERAL_PLATFORM_RULES,
        IdleAlarmSpec: IDLE_ALARM_RULES,
    }
    found = run_rules(rules[type(spec)], spec)
    return found + findings(LinksSpec(links=(spec,))) if isinstance(spec, LinkSpec) else found


@PATIENT
@given(SIZES)
def test_capacity_is_legal_minimal_and_holds_the_fill_rule(dataset_gib: float) -> None:
    """The capacity is legal, is filled to nine tenths at most, and the next smaller legal one would not do."""
    capacity = legal_capacity_gib(dataset_gib).storage_capacity_gib
    smaller = {1200: 0, 2400: 1200}.get(capacity, capacity - 2400)
    assert is_legal_capacity(capacity)
    assert smaller * 9 < dataset_gib * 10 <= capacity * 9


@PATIENT
@given(SIZES, SIZES)
def test_capacity_is_monotone(one: float, other: float) -> None:
    """More data never gets a smaller file system."""
    small, large = sorted((one, other))
    assert legal_capacity_gib(small).storage_capacity_gib <= legal_capacity_gib(large).storage_capacity_gib


@PATIENT
@given(SIZES)
def test_computed_capacity_passes_the_rules(dataset_gib: float) -> None:
    """No ERROR is found in a capacity that headrace computed itself."""
    capacity = legal_capacity_gib(dataset_gib).storage_capacity_gib
    spec = replace(SPECS[0], storage_capacity_gib=capacity, dataset_gib=dataset_gib)
    assert {each.rule_id for each in findings(spec)} <= {"V64", "V38", "V10"}


def test_arithmetic_is_shown() -> None:
    """The sentence shows the data set, the fill, what is needed and what was chosen."""
    expected = "3,000 GiB of data / 0.9 fill = 3,333.3 GiB -> 4,800 GiB (1,200, 2,400 or a multiple of 2,400)"
    assert legal_capacity_gib(3000).arithmetic == expected
    assert legal_capacity_gib(3000.0).arithmetic == expected


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "3000", LARGEST_DATASET_GIB + 1])
def test_no_capacity_for_what_is_no_size(value: Any) -> None:
    """What is no size in GiB is refused with the value in the message."""
    with pytest.raises(InvalidInput, match="dataset_gib is "):
        legal_capacity_gib(value)


@pytest.mark.parametrize(("spec", "field"), FIELDS, ids=field_name)
@settings(PATIENT, max_examples=20)
@given(junk=JUNK)
def test_no_rule_raises_on_junk(spec: Any, field: str, junk: Any) -> None:
    """Whatever somebody writes into a setting, the rules answer with findings, each on one line."""
    assert all(len(str(each).splitlines()) == 1 for each in findings(replace(spec, **{field: junk})))


@PATIENT
@given(st.sampled_from(SPECS), st.data())
def test_no_rule_raises_on_junk_everywhere(spec: Any, data: st.DataObject) -> None:
    """The same where every setting is junk."""
    names = [each.name for each in fields(spec) if each.name != "label"]
    junk = replace(spec, **{name: data.draw(JUNK, label=name) for name in names})
    assert all(len(str(each).splitlines()) == 1 for each in findings(junk))


@pytest.mark.parametrize(("spec", "field"), [each for each in FIELDS if each != CHECKED_ELSEWHERE], ids=field_name)
def test_wrong_kind_of_value_is_found(spec: Any, field: str) -> None:
    """A value of a kind that no setting takes is never let through silently."""
    if isinstance(spec, LinksSpec):
        spec = replace(spec, links=(SPECS[4],))
    before = {str(each) for each in findings(spec)}
    assert {str(each) for each in findings(replace(spec, **{field: object()}))} - before


@pytest.mark.parametrize("field", ["actions", "resources", "conditions"])
@settings(PATIENT, max_examples=50)
@given(junk=JUNK)
def test_no_rule_raises_on_junk_in_a_statement(field: str, junk: Any) -> None:
    """A statement of own ingestion is what people write by hand, so its members may be anything."""
    role = IngestionRoleSpec(role_name="warehouse", statements=(replace(STATEMENT, **{field: junk}),))
    assert all(len(str(each).splitlines()) == 1 for each in findings(role))


@PATIENT
@given(st.integers(16, 28), st.integers(1, 16))
def test_subnets_are_as_many_as_zones(block_prefix_length: int, zone_count: int) -> None:
    """The block holds a subnet for each zone, and legal subnets are given wherever there are any."""
    prefix_length = subnet_prefix_length(block_prefix_length, zone_count)
    assert 2 ** (prefix_length - block_prefix_length) >= zone_count
    enough_legal_ones = 2 ** (SMALLEST_BLOCK_PREFIX_LENGTH - block_prefix_length) >= zone_count
    assert (prefix_length <= SMALLEST_BLOCK_PREFIX_LENGTH) == enough_legal_ones


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.zone_id)
def test_real_zones_are_legal_and_lie_in_their_region(zone: Any) -> None:
    """Each real zone is legal by name and id, and lies in its own Region and in no other."""
    assert ZONE_NAME.fullmatch(zone.name)
    assert ZONE_ID.fullmatch(zone.zone_id)
    assert short_region(zone.region_name) is not None
    for region in {each.region_name for each in ZONES}:
        assert zone_is_in(zone.name, region) == zone_is_in(zone.zone_id, region) == (region == zone.region_name)


def test_unknown_region_words_accept_any_zone() -> None:
    """A Region whose words are not known here does not make its zones wrong."""
    assert short_region("eu-isoe-west-1") is None
    assert zone_is_in("euisoew1-az1", "eu-isoe-west-1")
