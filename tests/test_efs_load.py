"""``headrace efs load``: the job, what is listed for it, and the check of its counts."""

from __future__ import annotations

import importlib.resources
import inspect
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from headrace import efs_load, service_model
from headrace.aws.objects import StoredObject
from headrace.cli import efs
from headrace.efs_load.counters import arrived_bytes, check_counts
from headrace.efs_load.job import training_job
from headrace.efs_load.listing import findings_of, listed
from headrace.errors import InvalidInput
from headrace.planning import plan
from headrace.platform import DataLocation, Efs, FoundationPart, Platform, Roles, Subnet
from headrace.rules import RuleViolations
from headrace.sources import S3Location
from headrace.tally import numbers_of

ROLE = "arn:aws:iam::123456789012:role/headrace-dev"
PLATFORM = Platform(
    foundation=FoundationPart(
        platform="dev",
        region="us-east-1",
        account="123456789012",
        vpc_id="vpc-0123456789abcdef0",
        subnets=(Subnet(subnet_id="subnet-0123456789abcdef0", az_id="use1-az1"),),
        job_security_group_id="sg-0123456789abcdef0",
        bucket="lake",
        data_locations=(DataLocation(bucket="lake", prefix="data/"),),
        roles=Roles(s3=f"{ROLE}-s3", file_systems=f"{ROLE}-file-systems", both=f"{ROLE}-both"),
        job_name_prefix="headrace-dev-",
        efs=Efs(file_system_id="fs-0123456789abcdef0", az_ids=("use1-az1",)),
    )
)
NOW = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC)
WANTED = efs_load.EfsLoad(prefix="data/digits", image="digits:1")


def test_the_request_is_one_that_sagemaker_takes_and_does_what_was_asked() -> None:
    """A FastFile channel of the folder, the root of the EFS to write to, the role of both, the counters as metrics."""
    planned = plan(training_job(replace(WANTED, prune=True, workers=7), PLATFORM.foundation, NOW), PLATFORM)
    request = planned.request
    assert list(service_model.violations("sagemaker", "CreateTrainingJob", request)) == []
    assert request["TrainingJobName"] == "headrace-dev-efs-load-20260304-050607-891"
    assert request["RoleArn"] == f"{ROLE}-both"
    assert request["VpcConfig"]["Subnets"] == ["subnet-0123456789abcdef0"]
    source, target, code = request["InputDataConfig"]
    assert (source["InputMode"], source["DataSource"]["S3DataSource"]["S3Uri"]) == (
        "FastFile",
        "s3://lake/data/digits/",
    )
    assert target["DataSource"]["FileSystemDataSource"] == {
        "FileSystemId": "fs-0123456789abcdef0",
        "FileSystemAccessMode": "rw",
        "FileSystemType": "EFS",
        "DirectoryPath": "/",
    }
    assert code["ChannelName"] == "code"
    algorithm = request["AlgorithmSpecification"]
    arguments = algorithm["ContainerArguments"]
    assert arguments[arguments.index("--directory") + 1] == "/data/digits"
    assert arguments[arguments.index("--workers") + 1] == "7"
    assert "--prune" in arguments
    assert {"loaded_files", "loaded_bytes"} <= {each["Name"] for each in algorithm["MetricDefinitions"]}


@pytest.mark.parametrize(
    ("prefix", "directory", "uri", "filled"),
    [
        ("data/digits/", None, "s3://lake/data/digits/", "/data/digits"),
        ("s3://other/a", None, "s3://other/a/", "/a"),
        ("data/digits/", "/x/y/", "s3://lake/data/digits/", "/x/y"),
        ("data/digits/", "/", "s3://lake/data/digits/", "/"),
        ("s3://other", None, "s3://other/", "/"),
    ],
)
def test_the_directory_is_the_prefix_s_path_unless_it_is_named(
    prefix: str, directory: str | None, uri: str, filled: str
) -> None:
    """A prefix is always a folder; its path becomes the directory."""
    wanted = replace(WANTED, prefix=prefix, directory=directory)
    source = wanted.source("lake")
    assert (source.uri, wanted.target(source)) == (uri, filled)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": None}, "image is missing"),
        ({"workers": 0}, "workers is 0; allowed: 1 to 256"),
        ({"workers": 257}, "workers is 257"),
        ({"prefix": "gs://a/b"}, "prefix: S3 location is 'gs://a/b'"),
        ({"prefix": "/data"}, "prefix: S3 location is '/data'"),
        ({"prefix": "data/../x/"}, "no directory named . or .."),
        ({"directory": "data"}, "directory is 'data'; allowed: a path that begins with '/'"),
        ({"directory": ""}, "directory is ''"),
        ({"directory": "/a//b"}, "one '/' between directories"),
        ({"directory": "/a/../b"}, "no directory named . or .."),
        ({"directory": "/a\nb"}, "no control characters"),
        ({"directory": "/" + "x/" * 129}, "up to 256 characters"),
        ({"directory": "/", "prune": True}, "prune is asked for in '/'"),
        ({"prefix": "s3://other/", "prune": True}, "prune is asked for in '/'"),
    ],
)
def test_each_mistake_is_told(changes: dict[str, Any], told: str) -> None:
    """What cannot be loaded is refused with its value, and nothing else is said."""
    with pytest.raises(InvalidInput) as refused:
        training_job(replace(WANTED, **changes), PLATFORM.foundation, NOW)
    assert len(refused.value.problems) == 1
    assert told in refused.value.problems[0]
    assert "fix: " in refused.value.problems[0]


def test_a_platform_without_an_efs_is_refused() -> None:
    """The rule of the channel says so, before anything is created."""
    foundation = replace(PLATFORM.foundation, efs=None)
    with pytest.raises(RuleViolations, match=r"channels\.target"):
        plan(training_job(WANTED, foundation, NOW), Platform(foundation=foundation))


def _object(key: str, size_bytes: int = 1, storage_class: str = "STANDARD") -> StoredObject:
    return StoredObject(key=key, size_bytes=size_bytes, storage_class=storage_class, modified=NOW)


@pytest.mark.parametrize(
    ("last", "rule_id"),
    [
        pytest.param(_object("data/0000"), None, id="a file"),
        pytest.param(_object("data/0000/x"), "V130", id="a file is also a folder"),
        pytest.param(_object("data/x//y"), "V53", id="a folder without a name"),
        pytest.param(_object("data/x/../y"), "V53", id="a way out"),
        pytest.param(_object("data/x\ny"), "V53", id="a line break"),
        pytest.param(_object("data/cold", storage_class="GLACIER"), "V27", id="an archived object"),
    ],
)
def test_every_key_is_judged_however_many_there_are(last: StoredObject, rule_id: str | None) -> None:
    """What is wrong beyond the first page of the listing is found before the job costs anything."""
    objects = (*(_object(f"data/{number:04}") for number in range(1500)), last)
    found = findings_of(S3Location(bucket="lake", prefix="data/"), objects, "us-east-1")
    assert [each.rule_id for each in found] == ([] if rule_id is None else [rule_id])


@pytest.mark.parametrize(("prefix", "key"), [("data/", "data/x/"), ("", "/x")])
def test_a_key_with_an_empty_name_at_its_end_is_refused(prefix: str, key: str) -> None:
    """An object with bytes whose key ends, or begins, with a slash cannot be a file."""
    with pytest.raises(InvalidInput, match="allowed: keys that can be files"):
        findings_of(S3Location(bucket="lake", prefix=prefix), (_object(key),), "us-east-1")


def test_markers_of_folders_are_no_files() -> None:
    """An empty object whose key ends with a slash is left, and progress counts the files."""
    told: list[tuple[str, int]] = []
    found = listed((_object("a/", 0), _object("a/b", 0), _object("a/c")), lambda *what: told.append(what))
    assert [each.key for each in found] == ["a/b", "a/c"]
    assert told == [("objects listed", 1), ("objects listed", 2)]


@pytest.mark.parametrize(
    ("loaded_files", "loaded_bytes", "is_right"),
    [
        (3.0, 10.0, True),
        (2.0, 10.0, False),
        (4.0, 10.0, False),
        (3.0, 9.0, False),
        (None, 10.0, False),
        (3.0, None, False),
    ],
)
def test_counts_that_differ_are_an_error_with_both(
    loaded_files: float | None, loaded_bytes: float | None, is_right: bool
) -> None:
    """What the job says is compared with what S3 listed; a counter that is missing is no agreement."""
    given = {"loaded_files": loaded_files, "loaded_bytes": loaded_bytes}
    metrics = {name: value for name, value in given.items() if value is not None}
    tally = efs_load.Tally(files=3, size_bytes=10)
    if is_right:
        check_counts("fs-1:/data", tally, metrics)
        return
    with pytest.raises(efs_load.CountsDiffer, match=r"fs-1:/data has .* allowed: the 3 files with 10 bytes") as differs:
        check_counts("fs-1:/data", tally, metrics)
    assert differs.value.exit_code == 1


def test_bytes_are_compared_as_far_as_a_metric_reaches() -> None:
    """SageMaker's metrics are single-precision: 16,777,217 comes back as 16,777,216, which is no difference."""
    check_counts("x", efs_load.Tally(files=1, size_bytes=16_777_217), {"loaded_files": 1, "loaded_bytes": 16_777_216.0})
    with pytest.raises(efs_load.CountsDiffer):
        check_counts("x", efs_load.Tally(files=1, size_bytes=16_777_217), {"loaded_files": 1, "loaded_bytes": 16e6})


@pytest.mark.parametrize(
    "line", ["", "hello", "loaded_files=1", "error: 'a loaded_files=1 total_files=2'", "a_files=x"]
)
def test_only_the_script_s_own_line_is_progress(line: str) -> None:
    """Other text, be it a file's name, is not read as numbers."""
    assert numbers_of(line) is None


def test_progress_counts_what_was_found_and_what_is_being_read() -> None:
    """Ten bytes found in place, five copied, and three of a file that is not finished."""
    numbers = numbers_of("loaded_bytes=15 copied_bytes=5 read_bytes=8")
    assert numbers is not None
    assert arrived_bytes(numbers) == 18


def test_the_script_is_in_the_package() -> None:
    """It ships with the wheel, and needs nothing that is not in Python."""
    script = importlib.resources.files("headrace.efs_load").joinpath("script", "load.py")
    code = f"import sys; exec(compile({script.read_text()!r}, 'load.py', 'exec'), {{'__name__': 'load'}})"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_says_the_same_defaults_as_python() -> None:
    """The command line does not import the package to name its defaults."""
    parameters = inspect.signature(efs.load).parameters
    assert parameters["instance_type"].default == efs_load.DEFAULT_INSTANCE_TYPE
    assert parameters["workers"].default == efs_load.DEFAULT_WORKERS
