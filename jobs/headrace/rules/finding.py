"""What a rule says, and how many rules are run over one record and reported together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeVar

from headrace.errors import InvalidInput


class Level(StrEnum):
    """How bad: ERROR stops before money is spent, WARNING comes with its price, INFO is worth knowing."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


class Unknown(Enum):
    """The type of :data:`UNKNOWN`, an enum so that type checkers can narrow on identity."""

    UNKNOWN = "known at deploy time"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that only the deployment will know (a CDK Token): rules that read it are skipped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one field.

    ``got`` is the value as the user wrote it, ``allowed`` the rule in words, ``fix`` what to write instead.
    ``is_final``: no suppression helps, since nothing can be made of what was asked for.
    """

    rule_id: str
    level: Level
    field: str
    got: str
    allowed: str
    fix: str
    is_final: bool = False

    def __str__(self) -> str:
        return f"{self.rule_id} {self.level}: {self.field} is {self.got}; allowed: {self.allowed}; fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule that somebody decided not to heed here, and why. The reason is required and is kept in the output."""

    rule_id: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidInput(f"suppression of {self.rule_id}: a reason is required; say why it does not apply here")


class RuleViolations(InvalidInput):
    """One or more rules of level ERROR are broken. ``findings`` holds them all."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(*(str(finding) for finding in findings))


Record = TypeVar("Record")


@dataclass(frozen=True)
class Rule(Generic[Record]):
    """A rule function with its id and the fields that it reads; calling it yields findings."""

    rule_id: str
    reads: tuple[str, ...]
    check: Callable[[Record], Iterator[Finding]]

    def __call__(self, record: Record) -> Iterator[Finding]:
        if any(getattr(record, name) is UNKNOWN for name in self.reads):
            return
        yield from self.check(record)


def rule(rule_id: str, *reads: str) -> Callable[[Callable[[Any], Iterator[Finding]]], Rule[Any]]:
    """Make a generator function a :class:`Rule`: skipped where a field named in ``reads`` is :data:`UNKNOWN`."""

    def decorate(check: Callable[[Any], Iterator[Finding]]) -> Rule[Any]:
        return Rule(rule_id, reads, check)

    return decorate


def run_rules(rules: Iterable[Rule[Record]], record: Record) -> list[Finding]:
    """Run every rule over the record; findings in the order of the rules."""
    return [finding for each in rules for finding in each(record)]


def apply_suppressions(
    findings: Iterable[Finding], suppressions: Sequence[Suppression] = ()
) -> tuple[list[Finding], list[tuple[Finding, Suppression]]]:
    """Split findings into those that stand, the final ones among them, and those that are suppressed, with how."""
    by_id = {suppression.rule_id: suppression for suppression in suppressions}
    standing: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    for finding in findings:
        if finding.rule_id in by_id and not finding.is_final:
            suppressed.append((finding, by_id[finding.rule_id]))
        else:
            standing.append(finding)
    return standing, suppressed


def final(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, of which an ERROR is heeded whatever is suppressed: nothing can be made of what was asked for."""
    return [replace(each, is_final=each.level is Level.ERROR) for each in findings]


def require(findings: Iterable[Finding], suppressions: Sequence[Suppression] = ()) -> list[Finding]:
    """Raise :class:`RuleViolations` with every standing ERROR; return the standing WARNINGs and INFOs."""
    standing, _ = apply_suppressions(findings, suppressions)
    errors = [finding for finding in standing if finding.level is Level.ERROR]
    if errors:
        raise RuleViolations(errors)
    return standing
