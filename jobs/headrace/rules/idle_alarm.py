"""The rule of the alarm on a shared Lustre that nobody uses.

Rule of our own: V173.
Source: Amazon CloudWatch User Guide, "Evaluating an alarm": the periods that an alarm looks at, of an hour or longer,
are at most seven days together (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.values import WholeNumber, finding, is_whole_number

LONGEST_HOURS: Final = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleAlarmSpec:
    """After how many hours without clients somebody is told; None: never."""

    idle_alarm_hours: WholeNumber = None


@rule("V173", "idle_alarm_hours")
def idle_hours_can_be_watched(spec: IdleAlarmSpec) -> Iterator[Finding]:
    """An alarm looks back for one hour to seven days."""
    value = spec.idle_alarm_hours
    if value is not None and not (is_whole_number(value) and 1 <= value <= LONGEST_HOURS):
        allowed = f"1 to {LONGEST_HOURS} hours, or null for no alarm"
        yield finding("V173", "lustre.idle_alarm_hours", value, allowed, "give hours")


IDLE_ALARM_RULES: tuple[Rule[Any], ...] = (idle_hours_can_be_watched,)
"""Rules of one :class:`IdleAlarmSpec`."""
