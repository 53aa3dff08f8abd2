"""Findings of the rules on the command line: ``--ignore``, lines for people, and JSON for machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from headrace.rules import Finding, Suppression

_IGNORED = re.compile(r"(?P<rule_id>V\d+)=(?P<reason>.+)", re.DOTALL)

Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar='ID="REASON"', help="Do not heed this rule, for the reason given. Repeatable."),
]


def suppressions_of(ignored: Sequence[str] | None) -> list[Suppression]:
    """What ``--ignore`` says. Raises InvalidInput with every value that is no rule with a reason."""
    from headrace.errors import InvalidInput
    from headrace.rules import Suppression

    problems: list[str] = []
    suppressions: list[Suppression] = []
    for text in ignored or ():
        parts = _IGNORED.fullmatch(text)
        if parts is None or not parts["reason"].strip():
            problems.append(f'--ignore is {text!r}; allowed: a rule\'s id and a reason; fix: --ignore V36="reason"')
        else:
            suppressions.append(Suppression(rule_id=parts["rule_id"], reason=parts["reason"].strip()))
    if problems:
        raise InvalidInput(*problems)
    return suppressions


def as_json(finding: Finding, reason: str | None = None) -> dict[str, Any]:
    """A finding for machines; ``ignored_because`` where it was ignored."""
    plain = {
        "rule_id": finding.rule_id,
        "level": finding.level.value,
        "field": finding.field,
        "got": finding.got,
        "allowed": finding.allowed,
        "fix": finding.fix,
    }
    return plain if reason is None else {**plain, "ignored_because": reason}
