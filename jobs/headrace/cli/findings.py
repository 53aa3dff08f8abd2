"""Findings of the rules on the command line: ``--ignore``, lines for people, and JSON for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
    if not ignored:
        return []
    from headrace.errors import InvalidInput
    from headrace.rules import Suppression
    from headrace.rules.catalogue import CATALOGUE

    problems: list[str] = []
    suppressions: list[Suppression] = []
    for text in ignored:
        parts = _IGNORED.fullmatch(text)
        if parts is None or not parts["reason"].strip():
            problems.append(f'--ignore is {text!r}; allowed: a rule\'s id and a reason; fix: --ignore V36="reason"')
        elif parts["rule_id"] not in CATALOGUE:
            allowed = "the id of a rule, as in docs/rules.md and at the beginning of each finding"
            problems.append(f"--ignore is {text!r}; allowed: {allowed}; fix: correct {parts['rule_id']}")
        else:
            suppressions.append(Suppression(rule_id=parts["rule_id"], reason=parts["reason"].strip()))
    if problems:
        raise InvalidInput(*problems)
    return suppressions


def tell_unused(suppressions: Iterable[Suppression], used: Iterable[Suppression]) -> None:
    """Tell, beside the result, which rules were ignored and had nothing to say."""
    for each in sorted({each.rule_id for each in suppressions} - {each.rule_id for each in used}):
        typer.echo(f"--ignore {each}: this rule has nothing to say here", err=True)


def plain(finding: Finding, reason: str | None = None) -> dict[str, Any]:
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
