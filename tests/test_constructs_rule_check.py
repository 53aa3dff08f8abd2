"""The bridge to the rules: tokens are unknown, errors come together, warnings and reasons are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import App, Aws, Stack, Token
from aws_cdk.assertions import Annotations, Match
from headrace.rules import UNKNOWN, Finding, Level, RuleViolations, Suppression, rule
from headrace_cdk.rule_check import SUPPRESSION_METADATA, check, check_all, known


@dataclass(frozen=True)
class _Spec:
    size: Any


def _finding(rule_id: str, level: Level) -> Finding:
    return Finding(rule_id=rule_id, level=level, field="size", got="5", allowed="1", fix="1")


@rule("T1", "size")
def _error(spec: _Spec) -> Iterator[Finding]:
    yield _finding("T1", Level.ERROR)


@rule("T2", "size")
def _warning(spec: _Spec) -> Iterator[Finding]:
    yield _finding("T2", Level.WARNING)


@rule("T3", "size")
def _info(spec: _Spec) -> Iterator[Finding]:
    yield _finding("T3", Level.INFO)


@pytest.mark.parametrize("value", ["text", 5, 1.5, None, True, ("a", "b"), {"key": "value"}])
def test_plain_values_are_known(value: object) -> None:
    """What is no token passes through unchanged."""
    assert known(value) == value


def test_tokens_are_unknown_wherever_they_hide() -> None:
    """A token in text, in a number, in a list or in a mapping makes the value unknown."""
    number = Token.as_number({"Ref": "Number"})
    for value in (Aws.REGION, f"a-{Aws.REGION}", number, ["a", Aws.REGION], {"a": ("b",), "c": Aws.REGION}):
        assert known(value) is UNKNOWN


def test_unknown_value_skips_its_rules() -> None:
    """A rule that reads a token is not run."""
    check(Stack(App(), "Test"), [_error], _Spec(size=known(Aws.REGION)))


def test_errors_of_several_records_are_raised_together() -> None:
    """All findings of level ERROR come as one exception."""
    with pytest.raises(RuleViolations) as caught:
        check_all(Stack(App(), "Test"), [([_error, _warning], _Spec(1)), ([_error], _Spec(2))])
    assert [finding.rule_id for finding in caught.value.findings] == ["T1", "T1"]


def test_warnings_and_infos_become_annotations() -> None:
    """What does not stop the synth is shown by the CDK CLI, at the construct."""
    stack = Stack(App(), "Test")
    check(stack, [_warning, _info], _Spec(1))
    Annotations.from_stack(stack).has_warning("/Test", Match.string_like_regexp("T2 WARNING: size is 5"))
    Annotations.from_stack(stack).has_info("/Test", Match.string_like_regexp("T3 INFO: size is 5"))


def test_suppressed_error_is_recorded_with_its_reason() -> None:
    """A suppression by id lets the construct pass; finding and reason go to the cloud assembly."""
    stack = Stack(App(), "Test")
    check(stack, [_error], _Spec(1), [Suppression(rule_id="T1", reason="measured: it works")])
    (entry,) = (entry for entry in stack.node.metadata if entry.type == SUPPRESSION_METADATA)
    assert entry.data["reason"] == "measured: it works"
    assert entry.data["finding"].startswith("T1 ERROR")
