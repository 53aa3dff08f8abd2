"""Real loads of the EFS: the command and the function on the platform that was deployed into the embedded AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from headrace import efs_load, launch
from headrace.aws import Aws
from headrace.channels import Channel
from headrace.errors import JobFailed
from headrace.job_description import JobDescription
from headrace.roads import Access
from headrace.sources import EfsSource
from headrace.training import TrainingJob

from tests.command_line import Run, runner
from tests.conftest import DeployedPlatform

IMAGE = "loader:1"
FILES = {
    "a.txt": b"a",
    "empty": b"",
    "sub/deep/b c.bin": bytes(range(256)) * 300,
    "sub/ünïcode.txt": "ä".encode(),
    "loaded_files=99": b"a number to nobody",
}
# a job that prints what it finds on the EFS
LOOK = """
import hashlib, json, pathlib, sys
data = pathlib.Path("/opt/ml/input/data/train", sys.argv[1])
found = {str(each.relative_to(data)): hashlib.sha256(each.read_bytes()).hexdigest()
         for each in data.rglob("*") if each.is_file()}
print("found", json.dumps(found))
"""


@pytest.fixture(autouse=True)
def _environment(deployed: DeployedPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def image(deployed: DeployedPlatform) -> None:
    """An image in ECR."""
    deployed.push_image(IMAGE)


@pytest.fixture
def prefix(deployed: DeployedPlatform) -> str:
    """A folder of the platform's bucket with the files in it, and a marker."""
    folder = f"data/{uuid4().hex[:12]}/"
    _put(deployed, folder, {**FILES, "sub/": b""})
    return folder


def _put(deployed: DeployedPlatform, folder: str, files: Mapping[str, bytes]) -> None:
    for name, body in files.items():
        deployed.client("s3").put_object(Bucket=deployed.foundation.bucket, Key=folder + name, Body=body)


def _delete(deployed: DeployedPlatform, key: str) -> None:
    deployed.client("s3").delete_object(Bucket=deployed.foundation.bucket, Key=key)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""
    return runner(monkeypatch, capsys, "efs", "load")


def _on_the_efs(deployed: DeployedPlatform, directory: str) -> dict[str, str]:
    """Path -> SHA-256 of the files that a training job finds in a directory of the EFS."""
    job = TrainingJob(
        name=f"{deployed.foundation.job_name_prefix}look-{uuid4().hex[:12]}",
        image=IMAGE,
        instance_type="ml.m5.large",
        channels=(Channel(name="train", source=EfsSource(path="/", access=Access.READ_ONLY)),),
        command=("python3", "-c", "import os; exec(os.environ['LOOK'])"),
        arguments=(directory.lstrip("/"),),
        environment={"LOOK": LOOK},
    )
    assert launch.train(job).status == "Completed"
    lines = [each.text for each in Aws().job_logs.lines(job.name, {})]
    found: dict[str, str] = json.loads(next(line for line in lines if line.startswith("found ")).removeprefix("found "))
    return found


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}


def _jobs(deployed: DeployedPlatform) -> set[str]:
    pages = deployed.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}


def _loaded(run: Run, *arguments: str) -> dict[str, Any]:
    outcome = run(*arguments, "--image", IMAGE, "--json")
    assert outcome.code == 0, outcome.err
    result: dict[str, Any] = json.loads(outcome.out)
    return result


def test_a_load_fills_the_efs_and_a_later_one_brings_what_changed(
    run: Run, deployed: DeployedPlatform, prefix: str
) -> None:
    """All files arrive byte for byte; then what is new or changed is copied; with --prune what is gone goes."""
    first = _loaded(run, prefix)
    assert first["directory"] == "/" + prefix.rstrip("/")
    assert first["loaded_files"] == first["copied_files"] == len(FILES)
    assert first["loaded_bytes"] == first["copied_bytes"] == sum(map(len, FILES.values()))
    assert _on_the_efs(deployed, first["directory"]) == _hashes(FILES)

    _put(deployed, prefix, {"a.txt": b"b", "new": b"new"})
    _delete(deployed, f"{prefix}empty")
    second = _loaded(run, prefix)
    assert (second["loaded_files"], second["copied_files"], second["removed_files"]) == (len(FILES), 2, 0)
    now = {**FILES, "a.txt": b"b", "new": b"new"}
    assert _on_the_efs(deployed, first["directory"]) == _hashes(now)

    third = _loaded(run, prefix, "--prune")
    assert (third["loaded_files"], third["copied_files"], third["removed_files"]) == (len(FILES), 0, 1)
    now.pop("empty")
    assert _on_the_efs(deployed, first["directory"]) == _hashes(now)


def test_the_function_does_the_same(deployed: DeployedPlatform, prefix: str) -> None:
    """``load`` gives the tallies; the data goes to the directory that was named."""
    directory = f"/{uuid4().hex}/set"
    result = efs_load.load(f"s3://{deployed.foundation.bucket}/{prefix}", image=IMAGE, directory=directory, workers=2)
    assert result.loaded == result.copied == efs_load.Tally(files=len(FILES), size_bytes=sum(map(len, FILES.values())))
    assert result.file_system_id == deployed.foundation.efs.file_system_id if deployed.foundation.efs else None
    assert _on_the_efs(deployed, directory) == _hashes(FILES)


def test_the_result_is_on_stdout_and_progress_on_stderr(run: Run, prefix: str) -> None:
    """For people: what is there, where, and how much of it was copied; the counters' lines are no text of the log."""
    outcome = run(prefix, "--image", IMAGE)
    assert outcome.code == 0, outcome.err
    size_bytes = sum(map(len, FILES.values()))
    assert outcome.out.startswith(f"{len(FILES)} files, {size_bytes:,} bytes in fs-")
    assert f"copied {len(FILES)}" in outcome.out
    assert f"loading {len(FILES)} files, {size_bytes:,} bytes, from s3://" in outcome.err
    assert "Training" in outcome.err
    assert "objects listed" not in outcome.err
    assert "loaded_files=" not in outcome.err.replace("'loaded_files=99'", "")


def test_a_dry_run_prints_the_request_and_creates_nothing(run: Run, deployed: DeployedPlatform, prefix: str) -> None:
    """The exact request on stdout, what would be loaded on stderr; no job, no upload."""
    before = _jobs(deployed)
    outcome = run(prefix, "--image", IMAGE, "--dry-run", "--to", "/x")
    assert outcome.code == 0, outcome.err
    request = json.loads(outcome.out)
    assert "/x" in request["AlgorithmSpecification"]["ContainerArguments"]
    assert f"would load {len(FILES)} files" in outcome.err
    assert _jobs(deployed) == before
    code = deployed.client("s3").list_objects_v2(
        Bucket=deployed.foundation.bucket, Prefix=f"code/{request['TrainingJobName']}/"
    )
    assert code["KeyCount"] == 0


def test_all_mistakes_are_told_at_once_and_cost_nothing(run: Run, deployed: DeployedPlatform) -> None:
    """One line each, exit code 2, and no job."""
    before = _jobs(deployed)
    outcome = run("data/x/", "--to", "x", "--workers", "0")
    assert outcome.code == 2
    assert [line.split(" is ")[0] for line in outcome.err.splitlines()[1:]] == [
        "error: directory",
        "error: image",
        "error: workers",
    ]
    assert _jobs(deployed) == before


@pytest.mark.parametrize(
    ("files", "rule_id"),
    [({"a": b"a", "a/b": b"b"}, "V130"), ({"a//b": b"b"}, "V53"), ({}, "V80"), ({"sub/": b""}, "V80")],
)
def test_what_cannot_be_files_is_refused_before(
    run: Run, deployed: DeployedPlatform, files: dict[str, bytes], rule_id: str
) -> None:
    """Keys that clash or are no paths, and an empty prefix, cost nothing."""
    folder = f"data/{uuid4().hex[:12]}/"
    _put(deployed, folder, files)
    before = _jobs(deployed)
    outcome = run(folder, "--image", IMAGE)
    assert outcome.code == 2
    assert f"error: {rule_id} ERROR" in outcome.err
    assert _jobs(deployed) == before


def test_an_empty_prefix_never_empties_a_directory(run: Run, deployed: DeployedPlatform) -> None:
    """Not even where the rule that asks for objects is ignored."""
    before = _jobs(deployed)
    outcome = run("data/mistyped/", "--image", IMAGE, "--to", "/x", "--prune", "--ignore", "V80=let me")
    assert outcome.code == 2
    assert "data/mistyped/; allowed: a folder with at least one object" in outcome.err
    assert _jobs(deployed) == before


def test_an_object_that_disappears_meanwhile_fails_the_load(deployed: DeployedPlatform, prefix: str) -> None:
    """The error names the file; the others are there, and the next load says what is right now."""
    aws = Aws()
    prepared = efs_load.prepare(efs_load.EfsLoad(prefix=prefix, image=IMAGE), aws)
    _delete(deployed, f"{prefix}a.txt")
    ended = [each for each in efs_load.run(prepared, aws) if isinstance(each, JobDescription)]
    with pytest.raises(JobFailed, match=r"1 file\(s\) failed: 'a\.txt': No such file"):
        efs_load.result_of(prepared, ended[-1])
    again = efs_load.load(prefix, image=IMAGE)
    assert again.copied.files == 0
    with pytest.raises(efs_load.CountsDiffer, match=f"has {len(FILES) - 1} files .* the {len(FILES)} files"):
        efs_load.result_of(prepared, again.job)
