"""Rules of what a job runs and how it is marked: its code or command, its tags, its metrics.

They look at a :class:`~headrace.rules.job.JobSpec`, so they hold for a job file and for a job made in Python alike.
Sources: Amazon SageMaker API Reference, AlgorithmSpecification and MetricDefinition; AWS General Reference, "Tag naming
limits and requirements".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.job import JobSpec
from headrace.rules.values import finding, finding_in_words

RESERVED_TAG_STARTS: Final = ("headrace:", "aws:")


@rule("V136")
def code_or_command(spec: JobSpec) -> Iterator[Finding]:
    """A job runs entry_point of source_dir, or a command, or what its image runs; dependencies go with code."""
    for where, value, other, counterpart in (
        ("entry_point", spec.entry_point, spec.source_dir, "source_dir"),
        ("source_dir", spec.source_dir, spec.entry_point, "entry_point"),
        ("dependencies", spec.dependencies or None, spec.source_dir or spec.entry_point, "source_dir and entry_point"),
    ):
        if value is not None and other is None:
            allowed = "source_dir and entry_point go together, and dependencies with both"
            yield finding("V136", where, value, allowed, f"give {counterpart}, too, or leave {where} out")
    if spec.command is not None and spec.entry_point is not None:
        allowed = "command and entry_point exclude each other"
        yield finding("V136", "command", spec.command, allowed, "give one of the two")


@rule("V137")
def code_can_be_shipped(spec: JobSpec) -> Iterator[Finding]:
    """The folder, the script in it and the dependencies are there, stay inside, and are not too large."""
    for where, got, allowed, fix in spec.code_problems:
        yield finding_in_words("V137", where, got, allowed, fix)


@rule("V138")
def tags_are_free(spec: JobSpec) -> Iterator[Finding]:
    """A job's tags begin neither with aws:, which AWS reserves, nor with headrace:, which are set for it."""
    if reserved := [key for key in spec.tag_keys if key.lower().startswith(RESERVED_TAG_STARTS)]:
        allowed = "tags that begin with neither headrace: nor aws:, which are set for you"
        yield finding("V138", "tags", reserved, allowed, "name them otherwise")


@rule("V139")
def metrics_have_a_number(spec: JobSpec) -> Iterator[Finding]:
    """The regular expression of a metric is one, and its first group is the number."""
    for index, regex in enumerate(spec.metric_regexes):
        if broken := _regex_rule_broken(regex):
            fix = "put the number in parentheses: accuracy=([0-9.]+)"
            yield finding("V139", f"metric_definitions.{index}.regex", regex, broken, fix)


def _regex_rule_broken(regex: str) -> str | None:
    try:
        groups = re.compile(regex).groups
    # thousands of parentheses or repetitions come out of the compiler as errors of Python
    except (re.error, RecursionError, OverflowError) as error:
        return f"a regular expression; this is none: {error}"
    return None if groups else "a regular expression with a group; this has no group"


CODE_RULES: tuple[Rule[Any], ...] = (code_or_command, code_can_be_shipped)
"""Rules of the code in a :class:`JobSpec`; nothing can be made of a job that breaks one."""

MARK_RULES: tuple[Rule[Any], ...] = (tags_are_free, metrics_have_a_number)
"""Rules of a :class:`JobSpec`'s tags and metrics."""
