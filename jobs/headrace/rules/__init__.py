"""One rule, one function, one id.

A rule looks at a frozen record of what somebody asked for and yields a :class:`Finding` for each thing that is
wrong with it: field, value, what is allowed, and the fix. It raises nothing, calls nothing and repairs nothing.
The same functions serve the constructs at synth time and the pre-flight at launch time; whoever calls them decides
what to do with the findings (:func:`require` raises all of them at once).

A value that is only known at deploy time is :data:`UNKNOWN`; a rule that reads it is skipped.
"""

from headrace.rules.finding import (
    UNKNOWN,
    Finding,
    Level,
    Rule,
    RuleViolations,
    Suppression,
    Unknown,
    apply_suppressions,
    final,
    require,
    rule,
    run_rules,
)

__all__ = [
    "UNKNOWN",
    "Finding",
    "Level",
    "Rule",
    "RuleViolations",
    "Suppression",
    "Unknown",
    "apply_suppressions",
    "final",
    "require",
    "rule",
    "run_rules",
]
