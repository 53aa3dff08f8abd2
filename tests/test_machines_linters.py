"""The definitions before asl-validator and cfn-lint, which know the language and neither services nor variables."""

from __future__ import annotations

import json
import subprocess
import sys
from operator import methodcaller
from pathlib import Path
from typing import Any

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


# state, its fields, what asl-validator says, what cfn-lint says (it reads no expression and follows no Next)
BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("Begin", {"Next": "Nowhere"}, "MISSING_TRANSITION_TARGET", ""),
    ("Begin", {"Nxt": "IsWithinLimits"}, "SCHEMA_VALIDATION_FAILED", "'Nxt' was unexpected"),
    ("WaitForTeardown", {"Catch": []}, "SCHEMA_VALIDATION_FAILED", "'Catch' was unexpected"),
    ("Done", {"Output": "{% $result + %}"}, "/States/Done/Output is invalid", ""),
]


def test_the_linters_are_awake(tmp_path: Path) -> None:
    """An empty list means something."""
    broken = [changed(machine("ephemeral"), path, methodcaller("update", fields)) for path, fields, *_ in BROKEN]
    of_cfn_lint = _cfn_lint({f"M{number}": each for number, each in enumerate(broken)}, tmp_path)
    of_validator = node({"definitions": broken})["findings"]
    for found, (_, _, by_validator, by_cfn_lint) in zip(of_validator, BROKEN, strict=True):
        assert by_validator in " ".join(found)
        assert by_cfn_lint in of_cfn_lint
