"""app.py works without credentials, and a mistake in the settings is lines on stderr and exit code 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def _run(out: Path, context: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run app.py in an environment that knows nothing of AWS; ``context``: as the CDK CLI hands it over."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment = {**kept, "CDK_OUTDIR": str(out), "CDK_VALIDATION": "false"}
    if context is not None:
        environment["CDK_CONTEXT_JSON"] = json.dumps(context)
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_default_environment_needs_no_aws_configuration(tmp_path: Path) -> None:
    """Without account, Region and credentials the dev environment is synthesised, with no look-up left open."""
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert {each.name for each in tmp_path.glob("*.template.json")} == {
        f"headrace-dev-{part}.template.json" for part in ("foundation", "lustre", "cleanup", "ephemeral")
    }
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert "missing" not in manifest


def test_mistake_in_the_settings_is_lines_and_exit_code_2(tmp_path: Path) -> None:
    """Each mistake is one line; there is no traceback, and nothing is written."""
    context = {"headrace": {"dev": {"network": {"cidr": 5}, "efs": {"enabled": "no"}}}}
    done = _run(tmp_path, context)
    assert done.returncode == 2
    mistakes = [line for line in done.stderr.splitlines() if line.startswith("headrace.dev.")]
    assert [line.split()[0] for line in mistakes] == ["headrace.dev.network.cidr", "headrace.dev.efs.enabled"]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.template.json"))


def test_broken_rule_is_a_line_with_its_id_and_exit_code_2(tmp_path: Path) -> None:
    """What a construct refuses ends the same way, by the id of the rule."""
    network = {"cidr": "10.0.0.0/8", "availability_zone_ids": ["use1-az1"]}
    done = _run(tmp_path, {"env": "dev", "headrace": {"dev": {"network": network}}})
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stderr.splitlines() if line.startswith("V")] == ["V77"]
    assert "Traceback" not in done.stderr


def test_environment_is_chosen_in_context(tmp_path: Path) -> None:
    """`-c env=prod` synthesises prod."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    done = _run(tmp_path, {**context, "env": "prod"})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "headrace-prod-foundation.template.json").exists()
