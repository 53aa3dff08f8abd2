"""``--ignore`` on the command line: which rule, and why."""

from __future__ import annotations

import pytest
from headrace.cli.findings import suppressions_of, tell_unused
from headrace.errors import InvalidInput
from headrace.rules import Suppression


def test_a_rule_is_ignored_for_a_reason() -> None:
    """The reason may be any text; without the option nothing is ignored."""
    assert suppressions_of(None) == []
    assert suppressions_of(["V36=it is = enough", "V57= later "]) == [
        Suppression(rule_id="V36", reason="it is = enough"),
        Suppression(rule_id="V57", reason="later"),
    ]


def test_a_mistyped_rule_is_not_taken_for_ignored() -> None:
    """An id that no rule has is refused like a missing reason, all of them together."""
    with pytest.raises(InvalidInput) as error:
        suppressions_of(["V9999=x", "V36", "V36=  ", "v36=x", "V36=fine"])
    assert len(error.value.problems) == 4
    assert "correct V9999" in error.value.problems[0]


def test_a_rule_that_had_nothing_to_say_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: the result stays as it is."""
    used, unused = (Suppression(rule_id=each, reason="x") for each in ("V36", "V57"))
    tell_unused([used, unused], [used])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "--ignore V57: this rule has nothing to say here\n"
