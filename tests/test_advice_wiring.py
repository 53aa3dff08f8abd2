"""From the advice to what makes it so: settings that are settings, job files that can be planned, safe commands."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import headrace
import headrace.preload
import pytest
import yaml
from headrace import job_file
from headrace.advisor.merging import merged
from headrace.advisor.plans import plan
from headrace.advisor.shape import volume_gb
from headrace.advisor.variants import EfsMode, LustreState, Variant
from headrace.advisor.wiring import Wiring, wiring_of
from headrace.dataset import to_plain
from headrace.dataset.profile import KeyTree, Profile, Unusable, Where, profile_of_sizes
from headrace.ephemeral.machine_input import lifetime, ready_seconds
from headrace.errors import InvalidInput
from headrace.figures.lustre_content import content_mb_per_second, readers_for
from headrace.future_lustre import with_future_lustre
from headrace.job_file import JobFile
from headrace.planning import draft, location_specs
from headrace.platform import DataLocation, LustreLink, Platform
from headrace.preload.contents import Contents
from headrace.preload.estimate import estimate, max_runtime_seconds, stall_seconds
from headrace.roads import EFS, LUSTRE, ROADS, S3_FAST_FILE, S3_FILE, S3_PIPE
from headrace.rules import Finding, Level, run_rules
from headrace.rules.data_location import DATA_LOCATION_RULES, DataLocationSpec
from headrace.rules.efs import EFS_RULES, EfsSpec
from headrace.rules.ephemeral_platform import EPHEMERAL_PLATFORM_RULES, EphemeralPlatformSpec
from headrace.rules.lustre_link import LINK_RULES, LINKS_RULES, LinkSpec, LinksSpec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stacks.settings import EnvironmentSettings, EphemeralSettings, settings_of
from tests.advice_questions import IMAGES, SHARDS, question
from tests.command_line import Outcome, Run, runner
from tests.flow_records import PART
from tests.test_training import PLATFORM

GIB = 1 << 30
VARIANTS = [
    Variant(road=S3_FILE),
    Variant(road=S3_FAST_FILE),
    Variant(road=S3_PIPE),
    *(Variant(road=each, is_packed=True) for each in (S3_FILE, S3_FAST_FILE, S3_PIPE)),
    *(Variant(road=LUSTRE, lustre=state, capacity_gib=2400) for state in LustreState),
    Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL_PRELOADED, capacity_gib=19_200),
    *(Variant(road=EFS, efs_mode=mode) for mode in EfsMode),
]
ONE_OBJECT = profile_of_sizes("s3://lake/data/one.csv", Where.S3, {40 * 10**9: 1})
PROFILES = [
    *(
        replace(IMAGES, location=location)
        for location in (
            "s3://lake/data/photos/",
            "s3://lake/data/photos",
            "s3://lake/data/",
            "s3://lake/data/it's here/",
            "s3://other/archive/2024/",
            "s3://other/archive/2024",
            "s3://other/2024/",
            "s3://other/Data/",
            "s3://other/",
        )
    ),
    ONE_OBJECT,
    replace(ONE_OBJECT, location="s3://other/archive/one.csv"),
    replace(ONE_OBJECT, location="s3://other/one.csv"),
]
TO_WIRE = [
    # of one object there is nothing to pack
    (variant, profile)
    for variant in VARIANTS
    for profile in PROFILES
    if not (variant.is_packed and profile.files == 1)
]


def _settings(wiring: Wiring) -> EnvironmentSettings:
    environment = {"network": {"cidr": "10.0.0.0/20", "availability_zone_ids": ["use1-az1"]}, **wiring.settings}
    return settings_of(json.loads(json.dumps({"dev": environment})), "dev")


def _deployed(wanted: EnvironmentSettings) -> Platform:
    """What these settings would deploy."""
    declared = [DataLocation(bucket=each.bucket, prefix=each.prefix) for each in wanted.data_locations]
    foundation = PLATFORM.foundation
    assert PLATFORM.lustre is not None

    def links(given: Any) -> tuple[LustreLink, ...]:
        return tuple(
            LustreLink(name=each.name, path=each.path, bucket=each.bucket or "lake", prefix=each.prefix)
            for each in given
        )

    chosen = wanted.ephemeral
    return Platform(
        foundation=replace(foundation, data_locations=(*foundation.data_locations, *declared)),
        lustre=replace(PLATFORM.lustre, links=links(wanted.lustre.links)) if wanted.lustre.enabled else None,
        ephemeral=replace(
            PART,
            links=links(chosen.links),
            max_file_systems=chosen.max_file_systems,
            max_gib=chosen.max_gib,
            max_hours=chosen.max_hours,
        ),
    )


def _errors_of_settings(wanted: EnvironmentSettings, platform: Platform) -> list[Finding]:
    """What the constructs would refuse."""
    locations = [
        DataLocationSpec(bucket=each.bucket, prefix=each.prefix) for each in platform.foundation.data_locations
    ]
    found = [finding for each in locations for finding in run_rules(DATA_LOCATION_RULES, each)]
    assert platform.ephemeral is not None
    assert platform.lustre is not None
    for links in (platform.ephemeral.links, platform.lustre.links):
        specs = tuple(
            LinkSpec(name=each.name, file_system_path=each.path, bucket=each.bucket, prefix=each.prefix)
            for each in links
        )
        found += [finding for each in specs for finding in run_rules(LINK_RULES, each)]
        found += run_rules(LINKS_RULES, LinksSpec(links=specs, data_locations=tuple(locations)))
    chosen, efs = wanted.ephemeral, wanted.efs
    caps = EphemeralPlatformSpec(
        max_file_systems=chosen.max_file_systems,
        max_gib=chosen.max_gib,
        max_hours=chosen.max_hours,
        link_count=len(chosen.links),
    )
    found += run_rules(EPHEMERAL_PLATFORM_RULES, caps)
    mode = efs.throughput_mode
    found += run_rules(
        EFS_RULES,
        EfsSpec(az_count=2, throughput_mode=mode, provisioned_throughput_mibps=efs.provisioned_throughput_mibps),
    )
    return [each for each in found if each.level is Level.ERROR]


def _loaded(job: Mapping[str, Any], tmp_path: Path) -> JobFile:
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(dict(job), allow_unicode=True))
    return job_file.load(path)


def _needed_seconds(job: JobFile, profile: Profile, capacity_gib: int) -> int:
    """How long the file system of the flow has to live, as ``headrace train --ephemeral`` works it out."""
    largest = max(each.to_bytes for each in profile.sizes)
    contents = Contents(
        objects=profile.files, files=profile.files, size_bytes=profile.size_bytes, largest_bytes=largest
    )
    preload = 0
    if job.ephemeral.preload:
        content = content_mb_per_second(capacity_gib)
        readers = readers_for(content)
        assert job.ephemeral.preload_instance_type is not None
        expected = estimate(contents, content, readers, job.ephemeral.preload_instance_type)
        preload = max_runtime_seconds(expected, stall_seconds(contents, content, readers))
    return lifetime(
        ready=ready_seconds(profile.files),
        preload=preload,
        running=job.spot.max_wait_seconds if job.spot else job.max_runtime_seconds,
        pending=None,
        capacity_attempts=job.ephemeral.capacity_attempts,
        given_hours=None,
        max_hours=168,
    ).needed_seconds


@pytest.mark.parametrize("spot", [None, 50.0], ids=["on demand", "on Spot"])
@pytest.mark.parametrize(("variant", "profile"), TO_WIRE, ids=lambda each: getattr(each, "name", "") or each.location)
def test_every_plan_can_be_wired(variant: Variant, profile: Profile, spot: float | None, tmp_path: Path) -> None:
    """On a platform with its settings, no rule refuses its job; its settings are deployed before the job is started."""
    asked = question(profile, jobs=3, instance="ml.p3.2xlarge", spot_saving_percent=spot)
    wiring = wiring_of(plan(asked, variant), asked, "digits:1")
    job, deployed = _loaded(wiring.job, tmp_path), _settings(wiring)
    platform = _deployed(deployed)
    assert _errors_of_settings(deployed, platform) == []
    is_ephemeral = variant.lustre is not None and not variant.lustre.is_shared
    if is_ephemeral:
        assert platform.ephemeral is not None
        subnet = platform.foundation.subnets[0]
        on = with_future_lustre(platform, subnet, platform.ephemeral.links)
        assert variant.capacity_gib <= platform.ephemeral.max_gib
        if variant.lustre is not LustreState.HELD_PRELOADED:
            needed = _needed_seconds(job, profile, variant.capacity_gib)
            assert needed <= 3600 * platform.ephemeral.max_hours
    else:
        on = platform
    drafted = draft(job, on)
    assert [each for each in drafted.findings if each.level is Level.ERROR] == []
    assert job.channels["train"].places == (variant.road.place,)
    commands = [each for each in wiring.steps if not each.startswith("#")]
    assert not wiring.settings or commands[0] == "make deploy"
    assert "train" in commands[-1]
    for location in location_specs(drafted):
        # nothing but a whole object or a folder is named, and never a part of a name
        assert location.prefix in ("", *_whole_names(profile)) or location.prefix.endswith("/")
        assert location.prefix.endswith("/") or not location.is_mounted or not location.prefix


def _whole_names(profile: Profile) -> list[str]:
    return [profile.location.split("/", 3)[3]] if profile.files == 1 else []


def _wired(profile: Profile, variant: Variant, **asked: Any) -> Wiring:
    about = question(profile, **{"instance": "ml.p3.2xlarge", **asked})
    return wiring_of(plan(about, variant), about, "digits:1")


NAMED = [
    # road, location, files, what its channel names, what else is said
    (S3_FILE, "s3://lake/data/one.csv", 1, "s3://lake/data/one.csv", ""),
    (S3_PIPE, "s3://lake/data/one.csv", 1, "s3://lake/data/one.csv", ""),
    (S3_FAST_FILE, "s3://lake/data/one.csv", 1, "s3://lake/data/", "one.csv lies in"),
    (S3_FILE, "s3://lake/data/x", 9, "s3://lake/data/x/", "where x is only the beginning of names"),
    (S3_FAST_FILE, "s3://lake/data/x", 9, "s3://lake/data/x/", "where x is only the beginning of names"),
    (S3_PIPE, "s3://lake/data/x/", 9, "s3://lake/data/x/", ""),
]


@pytest.mark.parametrize(("road", "location", "files", "named", "said"), NAMED)
def test_a_road_names_an_object_or_its_folder(road: Any, location: str, files: int, named: str, said: str) -> None:
    """FastFile shows folders (V140); File and Pipe take a key as well. What is shown beside it is told."""
    wiring = _wired(profile_of_sizes(location, Where.S3, {10**9: files}), Variant(road=road))
    assert wiring.job["channels"]["train"]["s3"] == named
    told = [each for each in wiring.steps if each.startswith("#")]
    assert len(told) == bool(said)
    assert said in "".join(told)


@pytest.mark.parametrize(
    ("files", "depth", "named"),
    [(9, 0, "data/x"), (9, 1, "data/x/"), (9, 3, "data/x/"), (1, 0, "data/x"), (1, 1, "data/x/")],
)
def test_the_keys_say_whether_a_name_is_a_folder(files: int, depth: int, named: str) -> None:
    """Where they were listed, slashes are counted from the end of the prefix."""
    tree = KeyTree(folders=1, depth_most=depth, depth_mean=float(depth), most_files=files)
    profile = replace(profile_of_sizes("s3://lake/data/x", Where.S3, {10**9: files}), tree=tree)
    for road in (S3_FILE, S3_PIPE):
        assert _wired(profile, Variant(road=road)).job["channels"]["train"]["s3"] == f"s3://lake/{named}"
    mounted = _wired(profile, Variant(road=S3_FAST_FILE)).job["channels"]["train"]["s3"]
    assert mounted == ("s3://lake/data/x/" if depth else "s3://lake/data/")


def test_file_systems_show_the_folder_of_one_object() -> None:
    """A directory is what they mount."""
    lustre = _wired(ONE_OBJECT, Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200))
    assert lustre.job["channels"]["train"] == {"lustre": "data"}
    efs = _wired(
        replace(ONE_OBJECT, location="s3://lake/data/tables/one.csv"), Variant(road=EFS, efs_mode=EfsMode.ELASTIC)
    )
    assert efs.job["channels"]["train"] == {"efs": "/data/tables"}
    assert "headrace efs load s3://lake/data/tables/ --to /data/tables --image digits:1" in efs.steps
    for wiring in (lustre, efs):
        assert any("one.csv lies in" in each for each in wiring.steps if each.startswith("#"))


PACKED = [
    ("s3://lake/data/photos/", "s3://lake/data/packed-photos/", False, False),
    ("s3://lake/data/photos", "s3://lake/data/packed-photos/", False, False),
    ("s3://lake/data/", "s3://lake/data/packed/", False, True),
    ("s3://lake/data", "s3://lake/data/packed/", False, True),
    ("s3://lake/", "s3://lake/packed/", True, True),
    ("s3://other/photos/", "s3://other/packed-photos/", True, False),
    ("s3://lake/data/p", "s3://lake/data/packed-p/", False, True),
]


@pytest.mark.parametrize(("location", "shards", "is_declared", "is_below"), PACKED)
def test_shards_lie_where_no_road_takes_both(location: str, shards: str, is_declared: bool, is_below: bool) -> None:
    """Beside the files that they are made of, and below data/ where these are; where that cannot be it is said."""
    wiring = _wired(replace(IMAGES, location=location), Variant(road=S3_FILE, is_packed=True))
    assert wiring.job["channels"]["train"]["s3"] == shards
    assert bool(wiring.settings) == is_declared
    assert wiring.steps[is_declared].startswith("# pack the 1,530,350 small files of ")
    assert f"below {shards}" in wiring.steps[is_declared]
    assert shards.startswith(location) == is_below
    assert any("takes the shards, too" in each for each in wiring.steps) == is_below


def test_what_is_large_enough_comes_along() -> None:
    """A job that reads shards reads nothing beside them."""
    mixed = profile_of_sizes("s3://lake/data/x/", Where.S3, {10_000: 100_000, 200_000_000: 7})
    wiring = _wired(mixed, Variant(road=S3_FAST_FILE, is_packed=True))
    assert "copy the other 7 files there, too" in wiring.steps[0]


def test_a_shared_file_system_that_stands_needs_no_deployment() -> None:
    """Only a link of its own does."""
    variant = Variant(road=LUSTRE, lustre=LustreState.SHARED_COLD, capacity_gib=2400)
    there = _wired(IMAGES, variant, shared_lustre=2400)
    assert (there.settings, there.steps) == ({}, ("headrace train job.yaml",))
    elsewhere = _wired(replace(IMAGES, location="s3://other/x/"), variant, shared_lustre=2400)
    assert set(elsewhere.settings["lustre"]) == {"links"}
    assert elsewhere.steps == ("make deploy", "headrace train job.yaml")


def test_own_links_stand_beside_the_default_one() -> None:
    """Settings with links of their own have no default any more."""
    profile = replace(IMAGES, location="s3://other/archive/2024/")
    for state, part in ((LustreState.SHARED_WARM, "lustre"), (LustreState.EPHEMERAL, "ephemeral")):
        wiring = _wired(profile, Variant(road=LUSTRE, lustre=state, capacity_gib=2400))
        links = wiring.settings[part]["links"]
        assert links[0] == {"name": "data", "path": "/data", "prefix": "data/"}
        assert links[1] == {
            "name": "archive-2024",
            "path": "/archive-2024",
            "bucket": "other",
            "prefix": "archive/2024/",
        }


def test_caps_are_raised_where_they_have_to_be() -> None:
    """9,600 GiB and 30 hours are the platform's own."""
    assert (EphemeralSettings().max_gib, EphemeralSettings().max_hours) == (9600, 30)
    small = _wired(SHARDS, Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=1200))
    assert small.settings["ephemeral"] == {"enabled": True}
    large = _wired(IMAGES, Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL_PRELOADED, capacity_gib=19_200))
    assert large.settings["ephemeral"]["max_gib"] == 19_200
    slow = _wired(
        IMAGES,
        Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=1200),
        epochs=20,
        spot_saving_percent=50.0,
    )
    assert 48 < slow.settings["ephemeral"]["max_hours"] < 168
    assert "lifetime_hours" not in slow.job["ephemeral"]
    slower = _wired(
        IMAGES,
        Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=1200),
        epochs=50,
        spot_saving_percent=50.0,
    )
    # by its limits it might take longer, but is not expected to
    assert slower.settings["ephemeral"]["max_hours"] == slower.job["ephemeral"]["lifetime_hours"] == 168


def test_what_no_platform_allows_is_refused() -> None:
    """A file system lives for a week at most, and all of them have 100,800 GiB."""
    with pytest.raises(InvalidInput, match="100,800 GiB"):
        _wired(IMAGES, Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=102_000))
    with pytest.raises(InvalidInput, match="168 h"):
        _wired(IMAGES, Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=1200), epochs=5000)


def test_jobs_that_share_a_file_system_do_so_in_blocks_that_fit_into_its_life() -> None:
    """The Python that is shown can be pasted."""
    held = Variant(road=LUSTRE, lustre=LustreState.HELD_PRELOADED, capacity_gib=1200)
    few, many = (_wired(IMAGES, held, jobs=jobs, epochs=10) for jobs in (3, 1000))
    python, option, program = shlex.split(few.steps[-1])
    assert (python, option) == ("python", "-c")
    compile(program, "step", "exec")
    assert "for _ in range(3)" in program
    assert "path='photos', image='digits:1'" in program
    assert any("blocks" in each for each in many.steps)
    assert "ephemeral" not in few.job
    assert many.settings["ephemeral"]["max_hours"] <= 168


def test_the_program_that_holds_a_file_system_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It loads the folder once, and then trains one job after the other on the file system that is held."""
    calls: list[tuple[str, dict[str, Any]]] = []
    platform = PLATFORM

    def called(name: str, real: Any, result: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            calls.append((name, inspect.signature(real).bind(*given, **named).arguments))
            return result

        return call

    ended = SimpleNamespace(require_completed=lambda: calls.append(("completed", {})))
    held = nullcontext(SimpleNamespace(platform=platform))
    monkeypatch.setattr(headrace.ephemeral, "lustre", called("lustre", headrace.ephemeral.lustre, held))
    monkeypatch.setattr(headrace.preload, "preload", called("preload", headrace.preload.preload, None))
    monkeypatch.setattr(headrace, "train", called("train", headrace.train, ended))
    variant = Variant(road=LUSTRE, lustre=LustreState.HELD_PRELOADED, capacity_gib=1200)
    exec(shlex.split(_wired(IMAGES, variant, jobs=2).steps[-1])[2], {})  # noqa: S102  (what people are told to run)
    assert [name for name, _ in calls] == ["lustre", "preload", "train", "completed", "train", "completed"]
    made, loaded, trained = calls[0][1], calls[1][1], calls[2][1]
    assert (made["links"], made["storage_capacity_gib"]) == ({"data": "photos"}, 1200)
    assert (loaded["link"], loaded["path"], loaded["platform"]) == ("data", "photos", platform)
    assert trained == {"job": "job.yaml", "platform": platform}


def test_a_warm_pool_is_asked_for() -> None:
    """It costs while it waits, and that is said."""
    wiring = _wired(IMAGES, Variant(road=S3_FAST_FILE), warm=True)
    assert wiring.job["keep_alive_seconds"] == 3600
    assert any("keep_alive_seconds" in each and "$" in each for each in wiring.steps)
    assert "keep_alive_seconds" not in _wired(IMAGES, Variant(road=S3_FAST_FILE)).job


def test_an_existing_file_system_is_not_changed_in_silence() -> None:
    """Settings of what is shared are everybody's."""
    efs = _wired(IMAGES, Variant(road=EFS, efs_mode=EfsMode.BURSTING))
    lustre = _wired(IMAGES, Variant(road=LUSTRE, lustre=LustreState.SHARED_COLD, capacity_gib=2400))
    assert any("throughput mode" in each and "for all" in each for each in efs.steps)
    assert any("capacity" in each and "for all" in each for each in lustre.steps)


def test_commands_can_be_pasted() -> None:
    """Locations and paths are somebody else's text; what is no command is a comment."""
    evil = replace(IMAGES, location="s3://lake/data/$(touch x)\nrm -r; it's/")
    for variant in VARIANTS:
        asked = question(evil, jobs=3)
        wiring = wiring_of(plan(asked, variant), asked, "digits:1", "my job's.yaml")
        for step in wiring.steps:
            if step.startswith("#"):
                assert len(step.splitlines()) == 1
            elif step.startswith("headrace"):
                words = shlex.split(step)
                assert shlex.join(words) == step
                assert words[-1] in ("my job's.yaml", "--ephemeral") or "train" not in words


@pytest.mark.parametrize(
    ("asked", "copied_bytes", "gb"),
    [
        ({"instance": "ml.p3.2xlarge"}, 0, 30),
        ({"instance": "ml.p3.2xlarge"}, 27 * GIB, 30),
        ({"instance": "ml.p3.2xlarge"}, 100 * GIB, 111),
        ({"instance": "ml.p3.2xlarge", "volume_gb": 500}, 100 * GIB, 500),
        ({"instance": "ml.g5.2xlarge"}, 100 * GIB, 0),
    ],
)
def test_a_volume_holds_what_is_copied_and_a_tenth_more(asked: dict[str, object], copied_bytes: int, gb: int) -> None:
    """In GiB, as SageMaker counts; NVMe takes the place of a volume."""
    assert volume_gb(question(**asked), copied_bytes) == gb


def test_a_local_data_set_cannot_be_wired() -> None:
    """No job reads what lies here."""
    with pytest.raises(InvalidInput, match="aws s3 sync"):
        _wired(profile_of_sizes("/tmp/x", Where.LOCAL, {39_000: 10}), Variant(road=S3_FILE))  # noqa: S108


ASKED = ("--instance", "ml.p3.2xlarge", "--epochs", "10", "--samples-per-second", "330", "--samples", "1530350")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``headrace advise``; nothing may look for AWS."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return runner(monkeypatch, capsys, "advise")


Write = Callable[..., Outcome]


@pytest.fixture
def write(run: Run, tmp_path: Path) -> Write:
    """Writes ``w.yaml`` for a profile, like ``mine.yaml`` with these fields if any are given."""

    def do(profile: Profile, *more: str, like: Mapping[str, Any] | None = None) -> Outcome:
        (tmp_path / "profile.json").write_text(json.dumps(to_plain(profile)))
        given = ["--image", "digits:1"]
        if like is not None:
            (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"image": "mine:2", **like}))
            given = ["--like", str(tmp_path / "mine.yaml")]
        path = str(tmp_path / "w.yaml")
        return run("--profile", str(tmp_path / "profile.json"), *ASKED, *more, "--write", path, *given)

    return do


def _written(tmp_path: Path) -> JobFile:
    return job_file.load(tmp_path / "w.yaml")


def test_the_job_file_is_one_that_train_takes(write: Write, tmp_path: Path) -> None:
    """Written whole, with the channel of the winner; the screen names the file that was written."""
    outcome = write(SHARDS)
    assert outcome.code == 0, outcome.err
    job = _written(tmp_path)
    assert (job.image, job.instance_type) == ("digits:1", "ml.p3.2xlarge")
    assert job.channels["train"].s3 == "s3://lake/data/shards/"
    assert job.channels["train"].input_mode == "FastFile"
    assert f"headrace train {tmp_path / 'w.yaml'}" in " ".join(outcome.out.split())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["profile.json", "w.yaml"]


def test_an_existing_job_file_keeps_what_the_road_does_not_decide(write: Write, tmp_path: Path) -> None:
    """Code, image and what else there is stays; the source of the channel and the instances are the advice's."""
    (tmp_path / "src").mkdir()
    outcome = write(
        SHARDS,
        like={
            "base_job_name": "mine",
            "instance_type": "ml.m5.large",
            "source_dir": "src",
            "entry_point": "train.py",
            "hyperparameters": {"lr": "0.10"},
            "volume_size_gb": 500,
            "checkpoints": {"s3": "checkpoints/run-7/", "local_path": "/opt/ml/ck"},
            "channels": {
                "images": {
                    "s3": "data/old/",
                    "input_mode": "Pipe",
                    "content_type": "image/jpeg",
                    "shuffle_seed": 7,
                    "compression": "Gzip",
                }
            },
        },
    )
    assert outcome.code == 0, outcome.err
    job = _written(tmp_path)
    assert (job.image, job.base_job_name, job.entry_point) == ("mine:2", "mine", "train.py")
    assert (job.instance_type, job.volume_size_gb) == ("ml.p3.2xlarge", 500)
    assert job.source_dir is not None
    assert job.source_dir.resolve() == (tmp_path / "src").resolve()
    assert dict(job.hyperparameters) == {"lr": "0.10"}
    assert job.checkpoints is not None
    assert (job.checkpoints.s3, job.checkpoints.local_path) == ("checkpoints/run-7/", "/opt/ml/ck")
    assert {name: each.model_dump(exclude_unset=True) for name, each in job.channels.items()} == {
        "images": {
            "s3": "s3://lake/data/shards/",
            "input_mode": "FastFile",
            "content_type": "image/jpeg",
            "shuffle_seed": 7,
        }
    }
    told = "channels.images.compression is left out, which S3 FastFile does not take: it was 'Gzip'"
    assert outcome.err.splitlines() == [f"wrote {tmp_path / 'w.yaml'}", told]


LIKE: list[tuple[str, dict[str, Any], tuple[str, ...], dict[str, Any], list[str]]] = [
    (
        "Spot goes on",
        {"spot": {"max_wait_seconds": 90_000}, "max_runtime_seconds": 100_000},
        (),
        {"spot": {"max_wait_seconds": 100_000}, "checkpoints": {}},
        ["spot stays as it was; the advice is for instances on demand"],
    ),
    (
        "Spot is asked for, and a run is continued",
        {"checkpoints": {"s3": "checkpoints/run-7/"}, "keep_alive_seconds": 600},
        ("--spot-saving", "50"),
        {"spot": {"max_wait_seconds": ANY}, "checkpoints": {"s3": "checkpoints/run-7/"}},
        ["keep_alive_seconds is left out, on Spot: it was 600"],
    ),
    (
        "a warm pool excludes Spot",
        {"spot": {"max_wait_seconds": 90_000}, "checkpoints": {"s3": "checkpoints/run-7/"}},
        ("--warm",),
        {"keep_alive_seconds": 3600, "checkpoints": {"s3": "checkpoints/run-7/"}},
        ["spot is left out: --warm is given"],
    ),
    ("its own pool", {"keep_alive_seconds": 60}, ("--warm",), {"keep_alive_seconds": 60}, []),
    (
        "what was said of the file system stays for other roads",
        {"ephemeral": {"preload_image": "busybox:1"}},
        (),
        {"ephemeral": {"preload_image": "busybox:1"}},
        [],
    ),
    (
        "more than one channel",
        {"channels": {"a": {"s3": "data/a/"}, "b": {"s3": "data/b/", "input_mode": "FastFile"}}, "volume_size_gb": 80},
        (),
        {"volume_size_gb": 80},
        ["channel train is added beside a, b", "volume_size_gb is 80, which has to hold a as well"],
    ),
    (
        "a manifest",
        {"channels": {"a": {"s3": "data/a.manifest", "data_type": "ManifestFile", "distribution": "ShardedByS3Key"}}},
        (),
        {},
        [
            "channels.a.data_type is left out, since it is about the data that was there: it was 'ManifestFile'",
            "channels.a.distribution is left out, since the advice is for instances that read all",
        ],
    ),
]


@pytest.mark.parametrize(("like", "more", "kept", "told"), [each[1:] for each in LIKE], ids=[each[0] for each in LIKE])
def test_what_is_left_out_is_told(
    write: Write, tmp_path: Path, like: dict[str, Any], more: tuple[str, ...], kept: dict[str, Any], told: list[str]
) -> None:
    """Each on a line of its own; all else stays."""
    outcome = write(SHARDS, *more, like={"channels": {"train": {"s3": "data/x/"}}, **like})
    assert outcome.code == 0, outcome.err
    job = _written(tmp_path)
    assert [each for each in draft(job, PLATFORM).findings if each.level is Level.ERROR] == []
    plain = job.model_dump(mode="json", exclude_unset=True)
    of = ("spot", "checkpoints", "keep_alive_seconds", "ephemeral")
    assert {name: plain[name] for name in of if name in plain} == {name: kept[name] for name in of if name in kept}
    assert plain["volume_size_gb"] == kept.get("volume_size_gb", 30)
    lines = outcome.err.splitlines()[1:]
    assert [line[: len(start)] for line, start in zip(lines, told, strict=True)] == told


def test_wishes_of_an_ephemeral_file_system_are_merged() -> None:
    """What the advice does not decide stays; a life that is too short does not."""
    variant = Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL, capacity_gib=2400)
    about = question(IMAGES, instance="ml.p3.2xlarge")
    planned = plan(about, variant)
    advised = wiring_of(planned, about, "digits:1").job
    mine = {"preload_image": "busybox:1", "data_compression_type": "LZ4", "storage_capacity_gib": 1200}
    both = merged(planned, about, advised, {"image": "a:1", "ephemeral": {**mine, "lifetime_hours": 0.5}})
    assert both.job["ephemeral"] == {
        "preload_image": "busybox:1",
        "data_compression_type": "LZ4",
        "storage_capacity_gib": 2400,
        "preload": False,
    }
    assert [each.split(":")[0] for each in both.told] == [
        "ephemeral.storage_capacity_gib is 2400, as the advice has it",
        "ephemeral.lifetime_hours is left out",
    ]
    long = merged(planned, about, advised, {"image": "a:1", "ephemeral": {"lifetime_hours": 100.0}})
    assert long.job["ephemeral"]["lifetime_hours"] == 100
    assert "ephemeral.max_hours has to hold it" in long.told[0]


_CHANNEL = st.fixed_dictionaries(
    {"s3": st.just("data/old/")},
    optional={
        "input_mode": st.sampled_from(["File", "FastFile", "Pipe"]),
        "content_type": st.just("image/jpeg"),
        "distribution": st.sampled_from(["FullyReplicated", "ShardedByS3Key"]),
        "shuffle_seed": st.integers(0, 9),
    },
)
LIKES = st.fixed_dictionaries(
    {"image": st.just("mine:2")},
    optional={
        "channels": st.dictionaries(st.sampled_from(["train", "a", "b"]), _CHANNEL, min_size=1),
        "spot": st.fixed_dictionaries({"max_wait_seconds": st.integers(1, 28 * 86_400)}),
        "checkpoints": st.just({"s3": "checkpoints/run-7/"}),
        "keep_alive_seconds": st.integers(1, 3600),
        "volume_size_gb": st.integers(1, 900),
        "max_runtime_seconds": st.integers(1, 28 * 86_400),
        "ephemeral": st.fixed_dictionaries(
            {}, optional={"preload": st.booleans(), "capacity_attempts": st.just(5), "lifetime_hours": st.just(3.0)}
        ),
        "tags": st.just({"team": "vision"}),
        "environment": st.just({"A": "1"}),
        "network_isolation": st.just(True),
        "max_pending_seconds": st.just(7200),
    },
)
FLEETS = st.sampled_from([{}, {"spot_saving_percent": 50.0}, {"warm": True}, {"instances": 2, "sharded": True}])


@settings(max_examples=150, deadline=None)
@given(
    like=LIKES,
    fleet=FLEETS,
    variant=st.sampled_from(VARIANTS),
    kind=st.sampled_from(["ml.p3.2xlarge", "ml.g5.2xlarge"]),
)
def test_nothing_of_an_existing_file_goes_in_silence(
    like: dict[str, Any], fleet: dict[str, Any], variant: Variant, kind: str
) -> None:
    """What it says stays, or grows, or is told; what comes of it breaks no rule that the file did not break before."""
    assume(not ("spot" in like and "keep_alive_seconds" in like))
    about = question(IMAGES, instance=kind, jobs=2, **fleet)
    planned = plan(about, variant)
    both = merged(planned, about, wiring_of(planned, about, "digits:1").job, like)
    told = "\n".join(both.told)
    for name, value in like.items():
        if name in ("volume_size_gb", "max_runtime_seconds"):
            assert both.job.get(name, 0) >= value or name in told
        elif name == "spot":
            assert name in both.job or "spot is left out" in told
        elif name == "ephemeral":
            lost = {key for key, had in value.items() if both.job[name].get(key) != had}
            assert all(f"ephemeral.{key}" in told for key in lost)
        elif name != "channels":
            assert both.job.get(name) == value or name in told
    replaced = [name for name, had in like.get("channels", {}).items() if both.job["channels"][name] != had]
    assert len(replaced) <= 1
    for name in replaced:
        lost = {key for key, had in like["channels"][name].items() if both.job["channels"][name].get(key) != had}
        silent = {"s3", "input_mode"} | (
            {"distribution"} if like["channels"][name].get("distribution") != "ShardedByS3Key" else set()
        )
        assert all(f"channels.{name}.{key}" in told for key in lost - silent)
    job = JobFile.model_validate(both.job)
    on = PLATFORM
    found = {each.rule_id for each in draft(job, on).findings if each.level is Level.ERROR}
    assert found == set()


def test_a_volume_is_not_larger_than_the_nvme() -> None:
    """SageMaker takes no more than the instance has (ResourceConfig, VolumeSizeInGB)."""
    about = question(SHARDS)
    planned = plan(about, Variant(road=S3_FAST_FILE))
    advised = wiring_of(planned, about, "digits:1").job
    for had, kept in ((200, 200), (5000, None)):
        both = merged(planned, about, advised, {"image": "a:1", "volume_size_gb": had})
        assert both.job.get("volume_size_gb") == kept
        assert len(both.told) == (kept is None)


def test_instance_groups_are_not_advised_on(write: Write, tmp_path: Path) -> None:
    """The advice is about one type."""
    outcome = write(SHARDS, like={"instance_groups": {"a": {"instance_type": "ml.m5.large"}}, "command": ["a"]})
    assert outcome.code == 2
    assert "--like has instance_groups" in outcome.err
    assert not (tmp_path / "w.yaml").exists()


def test_a_location_stays_within_its_comment(write: Write, tmp_path: Path) -> None:
    """A job file is read by people and machines; a key of somebody else's must not become a field of it."""
    prefix = "data/x\nimage: evil\u2028image: evil\x85y: 1\rz: 2/"
    outcome = write(profile_of_sizes(f"s3://lake/{prefix}", Where.S3, {5_000_000: 10}))
    assert outcome.code == 0, outcome.err
    first, *_ = (tmp_path / "w.yaml").read_bytes().decode().split("\n")
    # the one line holds all of it, in the words of a comment
    assert first.endswith("for s3://lake/data/x image: evil image: evily: 1z: 2/")
    plain = yaml.safe_load((tmp_path / "w.yaml").read_text(encoding="utf-8"))
    assert plain["image"] == "digits:1"
    assert {"y", "z"}.isdisjoint(plain)
    assert _written(tmp_path).channels["train"].s3 == f"s3://lake/{prefix}"


@pytest.mark.parametrize("location", ["s3://bucket//x/", "s3://Old_Bucket/x/", "s3://other/a*b/"])
def test_advice_outlives_a_location_that_no_job_file_can_name(
    location: str, run: Run, write: Write, tmp_path: Path
) -> None:
    """The advice is given, with the reason; only writing fails."""
    profile = replace(SHARDS, location=location)
    (tmp_path / "profile.json").write_text(json.dumps(to_plain(profile)))
    outcome = run("--profile", str(tmp_path / "profile.json"), *ASKED, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["wiring"] is None
    assert json.loads(outcome.out)["winner"]
    assert outcome.err.startswith("no job file can be made: ")
    assert len(outcome.err.splitlines()) == 1
    refused = write(profile)
    assert (refused.code, refused.out) == (2, "")
    assert "allowed: " in refused.err
    assert not (tmp_path / "w.yaml").exists()


def test_the_screen_does_not_break_commands(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal is, they can be pasted."""
    monkeypatch.setenv("COLUMNS", "40")
    (tmp_path / "profile.json").write_text(json.dumps(to_plain(replace(SHARDS, location="s3://other/a b/"))))
    path = tmp_path / "a job with a name that is longer than forty characters.yaml"
    given = ("--profile", str(tmp_path / "profile.json"), *ASKED, "--write", str(path), "--image", "digits:1")
    lines = run(*given).out.splitlines()
    assert f"    headrace train {shlex.quote(str(path))}" in lines
    settings = lines[lines.index("Then:") - 1]
    assert json.loads(settings) == {"data_locations": [{"bucket": "other", "prefix": "a b/"}]}


def test_without_a_road_there_is_nothing_to_write(write: Write, tmp_path: Path) -> None:
    """Each road says why, without --write."""
    cold = Unusable(
        rule_id="V27", reason="archived", files=3, roads=tuple(each.name for each in ROADS), examples=("a",)
    )
    refused = write(replace(SHARDS, unusable=(cold,)))
    assert (refused.code, refused.out) == (2, "")
    assert "allowed: a data set that a road can bring" in refused.err
    assert not (tmp_path / "w.yaml").exists()


def test_the_image_is_that_of_the_existing_file(write: Write) -> None:
    """So that no command has a gap; without either the gap is named."""
    outcome = write(IMAGES, "--no-packing", "--access", "random", like={"channels": {"train": {"s3": "data/x/"}}})
    assert outcome.code == 0, outcome.err
    assert "IMAGE" not in outcome.out
    about = question(IMAGES)
    variant = Variant(road=EFS, efs_mode=EfsMode.ELASTIC)
    steps = wiring_of(plan(about, variant), about, "IMAGE").steps
    assert any(each.startswith("# IMAGE stands for") for each in steps)
