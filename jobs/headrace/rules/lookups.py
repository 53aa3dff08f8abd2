"""A rule of looking things up: what AWS does not tell these credentials stays unknown, and is said.

Rules that read an unknown fact are skipped. That is no reason to refuse a job, whose role may have rights that its
launcher has not; but nobody should take silence for consent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.values import finding_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSpec:
    """What was asked and not answered: each permission that is missing, with what could not be looked up without."""

    denied: tuple[tuple[str, tuple[str, ...]], ...]


@rule("V149")
def facts_could_be_looked_up(spec: LookupSpec) -> Iterator[Finding]:
    """Whoever checks a job may look up what the rules need to know."""
    for action, subjects in spec.denied:
        yield finding_in_words(
            "V149",
            "permissions",
            f"without {action}, so nothing was checked of: {', '.join(subjects)}",
            "the platform's user policy, and read access to buckets, roles and images of others",
            f"allow {action} to whoever launches, or see for yourself",
            Level.WARNING,
        )


LOOKUP_RULES: tuple[Rule[Any], ...] = (facts_could_be_looked_up,)
"""Rules of one :class:`LookupSpec`."""
