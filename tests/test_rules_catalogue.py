"""The catalogue of rules is complete, and its page is current."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import headrace.rules
from headrace.rules import Rule
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


def test_each_rule_is_run_by_a_tuple_of_a_module() -> None:
    """A rule that no tuple of rules holds would never be run."""
    modules = [import_module(f"headrace.rules.{name.name}") for name in iter_modules(headrace.rules.__path__)]
    tuples = [vars(module)[name] for module in modules for name in vars(module) if name.endswith("_RULES")]
    run = {id(each) for rules in tuples for each in rules if isinstance(each, Rule)}
    assert {id(each) for rules in rules_by_module().values() for each in rules} == run


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
