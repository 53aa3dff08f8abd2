"""The catalogue of rules is complete, and its page is current."""

from __future__ import annotations

from pathlib import Path

from headrace.rules import data_location, efs, launch, lustre, lustre_link, network, platform_key
from headrace.rules.catalogue import CATALOGUE, render, rules_by_module

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"


def test_each_rule_has_an_entry_and_each_entry_a_rule() -> None:
    """Somebody who looks an id up finds it, and finds nothing that no rule says."""
    assert {each.rule_id for rules in rules_by_module().values() for each in rules} == set(CATALOGUE)


def test_no_id_is_used_twice_in_a_module() -> None:
    """One rule, one function, one id: only the same rule on another record has the same id."""
    for name, rules in rules_by_module().items():
        ids = [each.rule_id for each in rules]
        assert len(set(ids)) == len(ids), name


def test_each_rule_is_run_by_a_tuple_of_its_module() -> None:
    """A rule that no tuple of rules holds would never be run."""
    run = (
        *data_location.DATA_LOCATION_RULES,
        *efs.EFS_RULES,
        *launch.LAUNCH_RULES,
        *lustre.LUSTRE_RULES,
        *lustre_link.LINK_RULES,
        *lustre_link.LINKS_RULES,
        *network.NETWORK_RULES,
        *platform_key.PLATFORM_KEY_RULES,
    )
    assert {id(each) for rules in rules_by_module().values() for each in rules} == {id(each) for each in run}


def test_each_rule_explains_itself_in_one_line() -> None:
    """The page shows a rule's docstring in a table's cell."""
    for rules in rules_by_module().values():
        for each in rules:
            text = (each.check.__doc__ or "").strip()
            assert text.endswith(".")
            assert "\n" not in text
            assert "|" not in text


def test_page_is_current() -> None:
    """docs/rules.md is what the catalogue renders; if not: python -m headrace.rules.catalogue > docs/rules.md."""
    assert PAGE.read_text(encoding="utf-8") == render()
