"""The definitions before asl-validator and cfn-lint, which know the language and neither services nor variables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from headrace_cdk.definition import MACHINES

from tests.machine_definitions import Definition, all_machines, changed, machine, node

ROOT = Path(__file__).parent.parent


def _cfn_lint(definitions: dict[str, Definition], directory: Path) -> str:
    """What cfn-lint says of a template with nothing but the machines."""
    resources: dict[str, Any] = {
        name.capitalize(): {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": "arn:aws:iam::123456789012:role/machine", "Definition": definition},
        }
        for name, definition in definitions.items()
    }
    template = directory / "machines.template.json"
    template.write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([cfn_lint, template], capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout


def test_asl_validator_finds_nothing() -> None:
    """Language, JSONata's syntax, transitions and reachability."""
    findings = node({"definitions": list(all_machines().values())})["findings"]
    assert dict(zip(MACHINES, findings, strict=True)) == {name: [] for name in MACHINES}


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """Its rules of state machines run where the definition is an object."""
    assert _cfn_lint(all_machines(), tmp_path) == ""


BROKEN = [
    ("a Next that leads nowhere", "Begin", {"Next": "Nowhere"}, "MISSING_TRANSITION_TARGET", "'Nowhere'"),
    ("an unknown field", "Begin", {"Nxt": "IsWithinLimits"}, "SCHEMA_VALIDATION_FAILED", "'Nxt' was unexpected"),
    ("a Catch on a Wait", "WaitForTeardown", {"Catch": []}, "SCHEMA_VALIDATION_FAILED", "'Catch' was unexpected"),
]


@pytest.mark.parametrize(("what", "path", "fields", "of_validator", "of_cfn_lint"), BROKEN)
def test_the_linters_are_awake(
    what: str, path: str, fields: dict[str, Any], of_validator: str, of_cfn_lint: str, tmp_path: Path
) -> None:
    """An empty list means something."""
    broken = changed(machine("ephemeral"), path, lambda state: state.update(fields))
    assert of_validator in " ".join(node({"definitions": [broken]})["findings"][0])
    assert of_cfn_lint in _cfn_lint({"ephemeral": broken}, tmp_path)


def test_asl_validator_reads_the_expressions() -> None:
    """Syntax errors in JSONata are found before a deployment."""
    broken = changed(machine("ephemeral"), "IsBelowCap", lambda state: state["Choices"][0].update(Condition="{% $a = %}"))
    assert "jsonata_string" in " ".join(node({"definitions": [broken]})["findings"][0])
