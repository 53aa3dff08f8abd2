"""The contract between the stacks and the job side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from headrace.errors import InvalidInput
from headrace.platform import (
    SCHEMA,
    DataLocation,
    Efs,
    EphemeralPart,
    FoundationPart,
    LustreLink,
    LustrePart,
    PlatformPart,
    Roles,
    Subnet,
    json_schema,
    parameter_name,
    parse_part,
    parse_platform,
    to_plain,
)
from hypothesis import given
from hypothesis import strategies as st

FOUNDATION = FoundationPart(
    platform="dev",
    region="us-east-1",
    account="111111111111",
    vpc_id="vpc-1",
    subnets=(Subnet(subnet_id="subnet-1", az_id="use1-az1"),),
    job_security_group_id="sg-1",
    bucket="bucket",
    data_locations=(DataLocation(bucket="bucket", prefix="data/"),),
    roles=Roles(s3="arn:aws:iam::111111111111:role/s3"),
    job_name_prefix="headrace-dev-",
)
LUSTRE = LustrePart(
    platform="dev",
    file_system_id="fs-1",
    mount_name="abcd1234",
    subnet_id="subnet-1",
    az_id="use1-az1",
    storage_capacity_gib=1200,
    links=(LustreLink(name="data", path="/data", bucket="bucket", prefix="data/"),),
)

EPHEMERAL = EphemeralPart(
    platform="dev",
    machine_arn="arn:aws:states:us-east-1:111111111111:stateMachine:flow",
    teardown_machine_arn="arn:aws:states:us-east-1:111111111111:stateMachine:teardown",
    reaper_machine_arn="arn:aws:states:us-east-1:111111111111:stateMachine:reaper",
    links=(LustreLink(name="data", path="/data", bucket="bucket", prefix="data/"),),
    max_file_systems=4,
    max_gib=9600,
    max_hours=24,
)


def _text(part: PlatformPart) -> str:
    return json.dumps(to_plain(part))


@pytest.mark.parametrize(
    "part", [FOUNDATION, LUSTRE, EPHEMERAL, replace(FOUNDATION, efs=Efs(file_system_id="fs-2", az_ids=()))]
)
def test_what_a_stack_writes_is_what_a_job_reads(part: PlatformPart) -> None:
    """Writing and reading give the same record."""
    assert parse_part(parameter_name(part), _text(part)) == part


def test_the_roles_of_own_ingestion_are_found_by_name() -> None:
    """Written and read as an object; a record of before, without them, has none."""
    arn = "arn:aws:iam::111111111111:role/warehouse"
    part = replace(FOUNDATION, ingestion_roles={"warehouse": arn})
    read = parse_part(parameter_name(part), _text(part))
    assert read == part
    assert isinstance(read, FoundationPart)
    assert read.ingestion_roles["warehouse"] == arn
    older = {name: value for name, value in to_plain(FOUNDATION).items() if name != "ingestion_roles"}
    assert parse_part("/headrace/dev/foundation", json.dumps(older)) == FOUNDATION


@pytest.mark.parametrize("part", [FOUNDATION, LUSTRE, EPHEMERAL])
def test_fields_of_newer_stacks_are_left(part: PlatformPart) -> None:
    """A stack of the same schema may write more than this version knows, at any depth."""
    plain = to_plain(part)
    newer = {**plain, "warp": {"drive": [1]}}
    nested = "subnets" if isinstance(part, FoundationPart) else "links"
    newer[nested] = [{**each, "warp": True} for each in plain[nested]]
    assert parse_part(parameter_name(part), json.dumps(newer)) == part


@given(st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_any_text_in_a_record_survives(name: str, locations: list[tuple[str, str]]) -> None:
    """No value needs escaping by hand."""
    part = replace(
        FOUNDATION, bucket=name, data_locations=tuple(DataLocation(bucket=b, prefix=p) for b, p in locations)
    )
    assert parse_part(parameter_name(part), _text(part)) == part


def test_the_platform_is_read_by_path_and_parts_of_newer_versions_are_left() -> None:
    """A newer stack may write parts that this version does not know."""
    parameters = {
        "/headrace/dev/foundation": _text(FOUNDATION),
        "/headrace/dev/lustre": _text(LUSTRE),
        "/headrace/dev/ephemeral": _text(EPHEMERAL),
        "/headrace/dev/quantum": "whatever",
    }
    platform = parse_platform("dev", parameters)
    assert (platform.foundation, platform.lustre, platform.ephemeral) == (FOUNDATION, LUSTRE, EPHEMERAL)


def test_a_platform_without_a_lustre_is_a_platform() -> None:
    """The Lustre stack is disposable."""
    assert parse_platform("dev", {"/headrace/dev/foundation": _text(FOUNDATION)}).lustre is None


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "platform 'dev': no record at /headrace/dev/foundation; deploy it first"),
        ({"/headrace/dev/lustre": _text(LUSTRE)}, "no record at /headrace/dev/foundation"),
        ({"/headrace/dev/foundation": "{"}, "not JSON"),
        ({"/headrace/dev/foundation": "{}"}, "region: Field required"),
        ({"/headrace/dev/foundation": "[]"}, "deploy the stack again"),
        (
            {"/headrace/dev/foundation": json.dumps({**to_plain(FOUNDATION), "schema": SCHEMA + 1})},
            f"schema is {SCHEMA + 1}, this headrace reads up to {SCHEMA}; upgrade headrace",
        ),
    ],
)
def test_a_record_that_cannot_be_read_says_what_to_do(parameters: dict[str, str], expected: str) -> None:
    """One line, and no traceback of a parser."""
    with pytest.raises(InvalidInput) as caught:
        parse_platform("dev", parameters)
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_documented_schema_is_the_schema() -> None:
    """docs/platform-record.schema.json is generated: python -c "…json_schema()"."""
    documented = json.loads((Path(__file__).parent.parent / "docs" / "platform-record.schema.json").read_text())
    assert documented == json.loads(json.dumps(json_schema()))
