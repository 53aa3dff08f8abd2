"""The bridge from constructs to the rules of :mod:`headrace.rules`.

A construct describes what it was asked for as one frozen record, and this module runs the rules over it when the
construct is made: all ERRORs are raised together, WARNINGs and INFOs become annotations that the CDK CLI prints, and
suppressed findings are kept with their reasons as metadata of the construct, so that they reach the cloud assembly.
A CDK Token is a value of the deployment: it becomes ``UNKNOWN``, which skips the rules that read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aws_cdk import Annotations, Token
from constructs import Construct
from headrace.rules import (
    UNKNOWN,
    Finding,
    Level,
    Rule,
    Suppression,
    Unknown,
    apply_suppressions,
    require,
    run_rules,
)

SUPPRESSION_METADATA = "headrace:suppressed-rule"
Value = TypeVar("Value")
Record = TypeVar("Record")


def known(value: Value) -> Value | Unknown:
    """``value``, or ``UNKNOWN`` where it is a Token or holds one (in a list, tuple or the values of a mapping)."""
    return UNKNOWN if _holds_token(value) else value


def _holds_token(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_token(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_token(item) for item in value)
    # Text and numbers are what CDK hides tokens in; asking crosses to node, so nothing else is asked about.
    is_plain = isinstance(value, bool) or not isinstance(value, str | int | float)
    return not is_plain and bool(Token.is_unresolved(value))


def check(
    scope: Construct,
    rules: Iterable[Rule[Record]],
    record: Record,
    suppressions: Sequence[Suppression] = (),
) -> None:
    """Run ``rules`` over ``record`` on behalf of the construct ``scope``.

    Raises :class:`headrace.rules.RuleViolations` with every ERROR that is not suppressed by its rule id.
    """
    check_all(scope, [(rules, record)], suppressions)


def check_all(
    scope: Construct,
    checks: Iterable[tuple[Iterable[Rule[Any]], Any]],
    suppressions: Sequence[Suppression] = (),
) -> None:
    """As :func:`check`, for several records of one construct whose mistakes are reported together."""
    findings = [finding for rules, record in checks for finding in run_rules(rules, record)]
    standing, suppressed = apply_suppressions(findings, suppressions)
    for finding in require(standing):
        _annotate(scope, finding)
    for finding, suppression in suppressed:
        scope.node.add_metadata(SUPPRESSION_METADATA, {"finding": str(finding), "reason": suppression.reason})


def _annotate(scope: Construct, finding: Finding) -> None:
    annotations = Annotations.of(scope)
    if finding.level is Level.WARNING:
        # The id is what `Annotations.acknowledge_warning` takes.
        annotations.add_warning_v2(f"headrace:{finding.rule_id}", str(finding))
    else:
        annotations.add_info(str(finding))
