"""``headrace advise`` as people and machines use it: without AWS, with a profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from headrace.dataset import to_plain
from headrace.dataset.profile import FormatShare, Profile, Unusable, Where, profile_of_sizes
from headrace.figures.snapshot import read_snapshot
from headrace.roads import ROADS

from tests.advice_questions import IMAGES, SHARDS
from tests.command_line import Run, runner

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "advice.schema.json").read_text())
ASKED = ("--instance", "ml.g5.2xlarge", "--epochs", "10", "--samples-per-second", "330")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``headrace advise``; nothing may look for AWS."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return runner(monkeypatch, capsys, "advise")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Profile], str]:
    """Saves a profile; gives its path."""

    def save(profile: Profile) -> str:
        path = tmp_path / "profile.json"
        path.write_text(json.dumps(to_plain(profile)))
        return str(path)

    return save


def _advised(run: Run, profile: str, *more: str) -> Any:
    outcome = run("--profile", profile, *ASKED, "--json", *more)
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    jsonschema.validate(told, SCHEMA)
    return told


CASES: list[tuple[str, Profile, tuple[str, ...]]] = [
    ("small images", IMAGES, ()),
    ("shards", SHARDS, ("--by", "time")),
    ("on Spot, sharded", SHARDS, ("--instances", "4", "--sharded", "--spot-saving", "60")),
    ("in EFS", profile_of_sizes("/photos", Where.EFS, {40_000: 1000}), ("--access", "random")),
    ("on this machine", profile_of_sizes("/tmp/photos", Where.LOCAL, {40_000: 1000}), ()),  # noqa: S108
    ("a Region without prices", SHARDS, ("--region", "mx-north-9")),
    ("several jobs", IMAGES, ("--jobs", "20", "--no-packing")),
]


@pytest.mark.parametrize(("profile", "more"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
def test_the_json_is_what_its_schema_says(
    run: Run, saved: Callable[[Profile], str], profile: Profile, more: tuple[str, ...]
) -> None:
    """Every member is documented, with its unit, and none is missing."""
    told = _advised(run, saved(profile), *more)
    assert told["winner"] == told["roads"][0]["name"]
    assert told["question"]["location"] == profile.location
    screen = run("--profile", saved(profile), *ASKED, *more)
    assert screen.code == 0
    assert told["winner"].split(",")[0] in screen.out


def test_the_screen_says_the_answer_first(run: Run, saved: Callable[[Profile], str]) -> None:
    """What it is about, the winner with its reason, the roads, what would decide, and the flow's opinion."""
    outcome = run("--profile", saved(IMAGES), *ASKED)
    lines = outcome.out.splitlines()
    assert lines[0].startswith(
        "s3://lake/data/photos/: 1,530,350 files, 54.0 GB; 10 epochs on ml.g5.2xlarge, us-east-1"
    )
    assert lines[1].startswith("S3 FastFile, packed is the cheapest: its epochs are bound by computing, not by")
    text = " ".join(outcome.out.split())
    for part in (
        "~ too close to call. One epoch can decide",
        "The decision flow of the AWS post says S3 File",
        "What would change it:",
        "A shared Lustre of 1,200 GiB costs $168.00 a month",
        "headrace train job.yaml",
        "list prices of us-east-1",
    ):
        assert part in text


MISTAKES: list[tuple[tuple[str, ...], list[str]]] = [
    (("--instance", "ml.g5.2xlrge"), ["--instance: instance_type is 'ml.g5.2xlrge'", "ml.g5.2xlarge"]),
    (("--epochs", "0"), ["--epochs is 0.0; allowed: a number above 0"]),
    (("--epochs", "nan"), ["--epochs is nan; allowed: a number above 0"]),
    (("--sharded",), ["--sharded is given for one instance"]),
    (("--interruptions", "2"), ["--interruptions is 2.0; allowed: only with --spot-saving"]),
    (("--warm", "--spot-saving", "60"), ["--warm is given with --spot-saving"]),
    (("--spot-saving", "100"), ["--spot-saving is 100.0; allowed: percent off"]),
    (("--write", "x.yaml"), ["--write is given alone"]),
    (("--like", "x.yaml"), ["--like is given alone"]),
    (("s3://lake/data/",), ["LOCATION and --profile: both given"]),
    (
        ("--instances", "0", "--jobs", "-1", "--image-gb", "-5"),
        ["--instances is 0;", "--jobs is -1;", "--image-gb is -5.0; allowed: a number of at least 0"],
    ),
    (("--prices", "nowhere.json"), ["nowhere.json: no such file"]),
]


@pytest.mark.parametrize(("given", "lines"), MISTAKES, ids=[" ".join(each) for each, _ in MISTAKES])
def test_a_question_that_contradicts_itself_is_told_in_full(
    run: Run, saved: Callable[[Profile], str], given: tuple[str, ...], lines: list[str]
) -> None:
    """Every mistake has a line with its option, and nothing is written."""
    asked = ASKED[2:] if "--instance" in given else ASKED
    outcome = run("--profile", saved(SHARDS), *asked, *given)
    assert (outcome.code, outcome.out) == (2, "")
    assert len(outcome.err.splitlines()) == max(1, len([each for each in lines if each.startswith("--")]))
    assert all(line in outcome.err for line in lines)
    assert "fix: " in outcome.err


def test_neither_a_location_nor_a_profile(run: Run) -> None:
    """Both ways are named."""
    outcome = run(*ASKED)
    assert outcome.code == 2
    assert "LOCATION and --profile: neither given" in outcome.err


def test_an_empty_data_set_has_no_road(run: Run, saved: Callable[[Profile], str]) -> None:
    """There is nothing to advise on."""
    outcome = run("--profile", saved(profile_of_sizes("s3://lake/nothing/", Where.S3, {})), *ASKED)
    assert outcome.code == 2
    assert outcome.err == (
        "error: s3://lake/nothing/ holds no file; allowed: a data set; fix: correct the prefix, or profile it again\n"
    )


def test_what_others_named_steers_no_terminal(run: Run, saved: Callable[[Profile], str]) -> None:
    """A location is somebody else's text."""
    evil = profile_of_sizes("s3://lake/data/\x1b[31mred\x1b]0;title\x07/", Where.S3, {5_000_000: 10})
    outcome = run("--profile", saved(evil), *ASKED)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err


def test_notes_say_what_is_not_known(run: Run, saved: Callable[[Profile], str]) -> None:
    """No compute rate, files of several samples, a Region without prices."""
    shards = FormatShare(suffix=".tar", files=360, size_bytes=54_000_000_000, is_container=True)
    profile = saved(_with_format(shards))
    outcome = run("--profile", profile, "--instance", "ml.g5.2xlarge", "--region", "mx-north-9", "--json")
    notes = "\n".join(json.loads(outcome.out)["notes"])
    assert "give --samples-per-second" in notes
    assert "files of several samples (.tar)" in notes
    assert "no price is known in mx-north-9 for: " in notes
    assert all(each["usd"] is None for each in json.loads(outcome.out)["roads"])


def _with_format(share: FormatShare) -> Profile:
    return replace(SHARDS, formats=(share,))


def test_prices_come_from_the_snapshot() -> None:
    """The instance of these tests has a price, so that a cost is compared with a cost."""
    prices = read_snapshot().prices["us-east-1"]
    assert any(detail == "ml.g5.2xlarge" for _, detail in prices.of)


def test_files_of_others_stay(run: Run, saved: Callable[[Profile], str], tmp_path: Path) -> None:
    """Neither a report nor a job file takes the place of a file that is not one of its kind; its own it replaces."""
    profile, mine = saved(SHARDS), tmp_path / "mine.yaml"
    mine.write_text("image: digits:1\ninstance_type: ml.m5.large\ncommand: [a]\nchannels: {train: {s3: data/x/}}\n")
    before = mine.read_text(), Path(profile).read_text()
    for options in (
        ("--html", profile),
        ("--html", str(mine)),
        ("--write", profile, "--image", "a:1"),
        ("--write", str(mine), "--like", str(mine)),
    ):
        outcome = run("--profile", profile, *ASKED, *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert "which is there; allowed: a new file, or one that headrace advise wrote" in outcome.err
    assert (mine.read_text(), Path(profile).read_text()) == before
    path = str(tmp_path / "new.yaml")
    for _ in range(2):
        assert run("--profile", profile, *ASKED, "--write", path, "--like", str(mine)).code == 0


def test_no_road_at_all_is_a_failure(run: Run, saved: Callable[[Profile], str]) -> None:
    """A script must not go on; the reason stands once for all roads."""
    roads = tuple(each.name for each in ROADS)
    cold = Unusable(rule_id="V27", reason="in GLACIER, to be restored first", files=1, roads=roads)
    outcome = run("--profile", saved(replace(SHARDS, unusable=(cold,))), *ASKED)
    assert outcome.code == 1
    assert " ".join(outcome.out.split()).count("V27: 1 file (in GLACIER, to be restored first)") == 1
    page = run("--profile", saved(replace(SHARDS, unusable=(cold,))), *ASKED, "--json")
    assert page.code == 1
    jsonschema.validate(json.loads(page.out), SCHEMA)


def test_all_roads_are_shown_when_asked_for(run: Run, saved: Callable[[Profile], str]) -> None:
    """The best eight are enough for most."""
    few, every = (run("--profile", saved(IMAGES), *ASKED, *more).out for more in ((), ("--all",)))
    assert "more that are worse: --all" in few
    assert "EFS, elastic" in every
    assert "EFS, elastic" not in few


def test_the_answer_does_not_hang_on_the_process(saved: Callable[[Profile], str]) -> None:
    """Where two reasons weigh the same, every process names the same one."""
    fleet = ("--instances", "4", "--sharded", "--spot-saving", "60")
    command = [sys.executable, "-m", "headrace.cli", "advise", "--profile", saved(IMAGES), *ASKED, *fleet, "--json"]
    told = {
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(told) == 1
