"""The record that a stack leaves: readable by the job side, under 4 KB, beside outputs for people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack
from aws_cdk.assertions import Template
from headrace.errors import InvalidInput
from headrace.platform import LustreLink, LustrePart, parse_part
from headrace_cdk.platform_part import ARN_TOKEN_BYTES, TOKEN_BYTES, PlatformPart, largest_bytes


def _part(mount_name: str = "abcdefgh", links: int = 1) -> LustrePart:
    return LustrePart(
        platform="dev",
        file_system_id="fs-0123456789abcdef0",
        mount_name=mount_name,
        subnet_id="subnet-0123456789abcdef0",
        az_id="use1-az1",
        storage_capacity_gib=1200,
        links=tuple(
            LustreLink(name=f"link{index}", path=f"/{index}", bucket="bucket", prefix=f"data/{index}/")
            for index in range(links)
        ),
    )


def _parameter(stack: Stack) -> dict[str, Any]:
    (found,) = Template.from_stack(stack).find_resources("AWS::SSM::Parameter").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_job_side_reads_what_the_stack_wrote() -> None:
    """The parameter's name and text come back as the same record."""
    stack, part = Stack(App(), "Test"), _part()
    PlatformPart(stack, "Part", part=part, outputs={})
    parameter = _parameter(stack)
    assert (parameter["Name"], parameter["Type"]) == ("/headrace/dev/lustre", "String")
    assert parse_part(parameter["Name"], parameter["Value"]) == part


def test_token_is_filled_in_by_the_deployment() -> None:
    """A value of the deployment stands in the JSON text as a reference, and the text stays JSON around it."""
    stack = Stack(App(), "Test")
    part = _part(mount_name=CfnParameter(stack, "MountName").value_as_string)
    PlatformPart(stack, "Part", part=part, outputs={})
    pieces = _parameter(stack)["Value"]["Fn::Join"][1]
    filled = "".join(piece if isinstance(piece, str) else "abcdefgh" for piece in pieces)
    assert [piece for piece in pieces if not isinstance(piece, str)] == [{"Ref": "MountName"}]
    assert parse_part("/headrace/dev/lustre", filled) == _part()


def test_record_that_does_not_fit_is_refused() -> None:
    """More than 4 KB is an error that says how large it is and what to take out."""
    with pytest.raises(InvalidInput, match=r"4096 .*fewer subnets"):
        PlatformPart(Stack(App(), "Test"), "Part", part=_part(links=80), outputs={})


def test_outputs_are_for_people() -> None:
    """Each output has the name that was given."""
    stack = Stack(App(), "Test")
    PlatformPart(stack, "Part", part=_part(), outputs={"MountName": "abcdefgh"})
    Template.from_stack(stack).has_output("MountName", {"Value": "abcdefgh"})


@pytest.mark.parametrize("plain", [{"a": ["é", 1, None, True], "b": {}}, [], "text", {"x": {"y": [1, 2]}}])
def test_size_is_never_underestimated(plain: Any) -> None:
    """Counted bytes are at least those of the JSON text."""
    assert largest_bytes(plain) >= len(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())


def test_references_count_with_the_longest_value_they_can_have() -> None:
    """An ARN counts more than an id, and a text around references is counted piece by piece."""
    assert largest_bytes({"Ref": "Bucket"}) == TOKEN_BYTES
    assert largest_bytes({"Fn::GetAtt": ["Role", "Arn"]}) == ARN_TOKEN_BYTES
    assert largest_bytes({"Fn::Join": ["", ["abc", {"Ref": "X"}]]}) >= TOKEN_BYTES + 3
