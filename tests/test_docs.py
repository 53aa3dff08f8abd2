"""What the documents say is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from headrace import launch, planning
from headrace.platform import (
    DataLocation,
    FoundationPart,
    LustreLink,
    LustrePart,
    Platform,
    Roles,
    Subnet,
)
from headrace.rules import Level
from headrace.training import TrainingJob

from stacks import settings_reference

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

ROLE = "arn:aws:iam::111111111111:role/dev"
PLATFORM = Platform(
    foundation=FoundationPart(
        platform="dev",
        region="us-east-1",
        account="111111111111",
        vpc_id="vpc-1",
        subnets=(Subnet(subnet_id="subnet-11111111", az_id="use1-az1"),),
        job_security_group_id="sg-11111111",
        bucket="lake",
        data_locations=(DataLocation(bucket="lake", prefix="data/"),),
        roles=Roles(s3=f"{ROLE}-s3", file_systems=f"{ROLE}-file-systems", both=f"{ROLE}-both"),
        job_name_prefix="dev-",
    ),
    lustre=LustrePart(
        platform="dev",
        file_system_id="fs-0123456789abcdef0",
        mount_name="abcdefgh",
        subnet_id="subnet-11111111",
        az_id="use1-az1",
        storage_capacity_gib=1200,
        links=(LustreLink(name="data", path="/data", bucket="lake", prefix="data/"),),
    ),
)


def test_the_documented_settings_are_the_settings() -> None:
    """docs/settings.md is made from the records."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference.render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Files that a page names exist; links out are not followed."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_readmes_constructs_synthesise(tmp_path: Path) -> None:
    """The first thing that a platform team copies."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (sample,) = [block for block in blocks if "headrace_cdk" in block]
    done = subprocess.run([sys.executable, "-c", sample], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readmes_job_in_python_is_one_that_can_be_planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first thing that an engineer copies, on the platform that the embedded AWS's tests deploy."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (sample,) = [block for block in blocks if "TrainingJob(" in block]
    given: list[TrainingJob] = []
    monkeypatch.setattr(launch, "train", given.append)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("")
    monkeypatch.chdir(tmp_path)
    exec(compile(sample, "README.md", "exec"), {})  # noqa: S102  (our own README)
    assert [each for each in planning.draft(given[0], PLATFORM).findings if each.level is Level.ERROR] == []


def test_every_verb_of_the_readme_is_a_verb_of_the_makefile() -> None:
    """And every verb says what it does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z]+):.*## .+", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"demo", "test", "check", "synth", "deploy", "clean"} <= verbs
    assert named <= verbs


def test_pictures_are_well_formed() -> None:
    """A broken SVG is an empty place in the README."""
    pictures = sorted((ROOT / "docs").glob("*.svg"))
    assert pictures
    for picture in pictures:
        root = ElementTree.parse(picture).getroot()  # noqa: S314  (our own file)
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
