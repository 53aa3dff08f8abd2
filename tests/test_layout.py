"""What the layout promises, and what no file of the repository may hold."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
# written in pieces, so that this file does not hold what it looks for
REGISTRY_HOSTS = re.compile(
    "|".join((r"pypi\." + "org", "python" + "hosted", r"registry\." + "npmjs", r"deb\." + "debian"))
)


def _tracked_text() -> list[tuple[str, str]]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    paths = [ROOT / name for name in names if not name.endswith((".png", ".gz"))]
    return [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


@pytest.mark.parametrize("root", ["constructs", "jobs", "local"])
def test_source_roots_are_no_packages(root: str) -> None:
    """A package named ``constructs`` would hide the one that aws_cdk imports, and break everything."""
    assert (ROOT / root).is_dir()
    assert not (ROOT / root / "__init__.py").exists()


def test_no_test_folder_is_named_constructs() -> None:
    """For the same reason."""
    assert not [path for path in (ROOT / "tests").rglob("constructs") if path.is_dir()]


def test_no_file_names_a_registrys_host() -> None:
    """Whoever installs may use a mirror of their own."""
    texts = _tracked_text()
    assert len(texts) > 50
    assert [name for name, text in texts if REGISTRY_HOSTS.search(text)] == []


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    """So that an installation is the one that was tested."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert len(packages) > 50
    assert [line for line in packages if not re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:", line)] == []


def test_the_demo_installs_no_sagemaker_sdk_and_no_test_tools() -> None:
    """The SDK is a gigabyte; the demo does not use it."""
    names = {
        line.split("==")[0] for line in (ROOT / "requirements" / "demo.txt").read_text().splitlines() if "==" in line
    }
    assert {"boto3", "moto", "aws-cdk-lib"} <= names
    assert names.isdisjoint({"sagemaker", "pytest", "mypy", "hypothesis", "torch"})


def test_the_cdk_cli_is_pinned_exactly() -> None:
    """The registry's tag ``latest`` of this package is an old build that refuses today's assemblies."""
    version = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/aws-cdk"]
    assert version == locked["version"]
    assert locked["integrity"].startswith("sha512-")
    assert "resolved" not in locked
